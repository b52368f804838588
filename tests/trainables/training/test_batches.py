"""The epoch's plan."""

import numpy as np
import pytest
import torch

from trainables.classes import CIFAR10_CLASSES
from trainables.config import FineTuneConfig
from trainables.data.images import ImageSet
from trainables.errors import UserError
from trainables.training.batches import plan_batches
from trainables.training.parallel import SOLO, WorkerGroup

CPU = torch.device("cpu")
LABELS = np.arange(200) % 10
TRAIN = ImageSet(
    images=np.zeros((200, 32, 32, 3), np.uint8), labels=LABELS, class_names=CIFAR10_CLASSES
)


def plan(*, epoch=1, workers=SOLO, confusion=None, **settings):
    config = FineTuneConfig(**{"batch_size": 20} | settings)
    return plan_batches(
        config, TRAIN, epoch=epoch, train_confusion=confusion, workers=workers, device=CPU
    )


def test_an_epoch_sees_every_picture_once_when_batches_divide_it():
    seen = torch.cat([batch.indices for batch in plan()])
    assert sorted(seen.tolist()) == list(range(200))


def test_an_incomplete_last_batch_is_left_out():
    assert [len(batch.indices) for batch in plan(batch_size=30)] == [30] * 6


def test_a_plan_depends_on_seed_and_epoch_alone():
    def orders(**settings):
        return [batch.indices.tolist() for batch in plan(**settings)]

    assert orders() == orders()
    assert orders() != orders(epoch=2)
    assert orders() != orders(seed=1)
    assert orders() == orders(head_lr=1e-4)


def test_workers_share_each_batch_between_them():
    whole = plan()
    halves = [plan(workers=WorkerGroup(rank=rank, size=2)) for rank in (0, 1)]
    for batch, first, second in zip(whole, *halves, strict=True):
        assert sorted([*first.indices.tolist(), *second.indices.tolist()]) == sorted(
            batch.indices.tolist()
        )


def test_each_way_of_mixing_has_its_share_of_the_batches():
    kinds = [b.mixing for e in range(200) for b in plan(
        epoch=e, cutmix_probability=0.3, mixup_probability=0.2)]  # fmt: skip
    shares = {kind: kinds.count(kind) / len(kinds) for kind in set(kinds)}
    # 2,000 batches: a share's standard error is at most 0.011.
    assert shares == pytest.approx({"cutmix": 0.3, "mixup": 0.2, None: 0.5}, abs=0.04)


def test_hard_mining_gives_the_confused_pair_the_share_that_was_asked():
    confusion = np.zeros((10, 10), int)
    confusion[3, 5], confusion[5, 3] = 8, 4
    batches = plan(hard_mining_share=0.4, confusion=confusion.tolist())
    mined = [b for b in batches if set(LABELS[b.indices.numpy()]) == {3, 5}]
    assert len(mined) == 4  # of ten
    assert [np.bincount(LABELS[b.indices.numpy()])[3] for b in mined] == [10] * 4


def test_hard_mining_aims_at_the_pair_that_it_is_given_from_the_first_epoch_on():
    confusion = np.zeros((10, 10), int)
    confusion[3, 5] = 8
    for measured in (None, confusion.tolist()):
        batches = plan(hard_mining_share=0.4, pair="horse+deer", confusion=measured)
        classes = [frozenset(LABELS[b.indices.numpy()].tolist()) for b in batches]
        assert classes.count(frozenset({4, 7})) == 4  # of ten
        assert frozenset({3, 5}) not in classes


def test_a_pair_of_other_classes_than_the_datas_is_refused():
    with pytest.raises(UserError, match="pair is 'cat\\+lynx': class 'lynx' is unknown; allowed"):
        plan(hard_mining_share=0.4, pair="cat+lynx")


def test_without_a_measured_confusion_nothing_is_mined():
    assert [b.indices.tolist() for b in plan(hard_mining_share=0.4)] == [
        b.indices.tolist() for b in plan()
    ]
