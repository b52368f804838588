"""Arrays that are computed once and shared, and that sharing changes no number."""

import multiprocessing
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from trainables.config import FineTuneConfig
from trainables.errors import UserError
from trainables.models.network import build_model, set_trainable
from trainables.training import pictures, reuse
from trainables.training.activations import Activations
from trainables.training.parallel import SOLO
from trainables.training.pictures import TrialData
from trainables.training.reuse import NO_REUSE, Reuse, fingerprint
from trainables.two_phase import Trial, fine_tune

CPU = torch.device("cpu")
TINY = FineTuneConfig(
    resolution_px=32, head_epochs=2, finetune_epochs=2, batch_size=16, unfreeze="stage4",
    head_lr=3e-3, backbone_lr_ratio=0.1, augmentation="standard", precision="float32",
)  # fmt: skip
MEASURED = ("images_per_second", "epoch_seconds", "peak_memory_bytes")


@pytest.fixture
def data(coloured_squares) -> TrialData:
    return TrialData(train=coloured_squares(48), val=coloured_squares(24, seed=1), data_seed=0)


def train(config: FineTuneConfig, data: TrialData, shared: Reuse) -> list[dict]:
    told = []

    def report(metrics, make_checkpoint):
        told.append({k: v for k, v in metrics.items() if k not in MEASURED})

    fine_tune(config, data, report, device=CPU, reuse=shared)
    return told


class Counted:
    """An array to compute, and how often that was done."""

    def __init__(self, array: np.ndarray) -> None:
        self.array, self.calls = array, 0

    def __call__(self) -> np.ndarray:
        self.calls += 1
        return self.array


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"precision": "bf16"},
        {"unfreeze": "top5", "cutmix_probability": 0.5, "ema_decay": 0.5},
        {"unfreeze": "top20", "unfreeze_mode": "gradual", "batchnorm": "frozen"},
        {"unfreeze": "all", "augmentation": "none"},
        {"unfreeze": "stage3", "hard_mining_share": 0.5, "weights": "none"},
    ],
    ids=lambda settings: " ".join(map(str, settings)) or "stage4",
)
@pytest.mark.parametrize("mode", ["head", "trunk"])
def test_sharing_changes_no_number(data, tmp_path, settings, mode):
    config = replace(TINY, **settings)
    alone = train(config, data, Reuse("off"))
    shared = Reuse(mode, folder=tmp_path)
    assert train(config, data, shared) == alone  # computes
    assert train(config, data, shared) == alone  # takes


def test_a_second_trial_computes_nothing_that_the_first_one_has(data, tmp_path, monkeypatch):
    shared = Reuse("trunk", folder=tmp_path)
    train(TINY, data, shared)
    calls: list[str] = []
    computed = Activations.computed

    def count(self, model, images, *, last=None):
        if len(images) > 1:  # one picture alone is looked at for its size
            calls.append("activations")
        return computed(self, model, images, last=last)

    monkeypatch.setattr(Activations, "computed", count)
    monkeypatch.setattr(pictures, "epoch_view", lambda *_, **__: calls.append("view"))
    train(replace(TINY, head_lr=1e-3, dropout=0.5), data, shared)
    assert calls == []
    monkeypatch.undo()
    monkeypatch.setattr(Activations, "computed", count)
    train(replace(TINY, interpolation="nearest", resolution_px=40), data, shared)
    assert set(calls) == {"activations"}


def test_each_thing_that_activations_depend_on_is_in_their_key(data, tmp_path):
    shared = Reuse("trunk", folder=tmp_path)
    changes = [
        {},
        {"backbone": "resnet34", "weights": "none"},
        {"weights": "none"},
        {"weights": "none", "seed": 1},
        {"resolution_px": 40},
        {"resolution_px": 40, "interpolation": "nearest"},
        {"preprocessing": "unit"},
        {"precision": "bf16"},
    ]
    for count, change in enumerate(changes, start=1):
        config = replace(TINY, head_epochs=1, **change)
        model = build_model(config, 4)
        set_trainable(model, None)
        made = pictures.Pictures(config, data, device=CPU, reuse=shared)
        assert made.below(model, made.val) is not None
        assert len(list(tmp_path.glob("*.npy"))) == count, change


def test_a_view_drawn_ahead_is_there_when_it_is_asked_for(data, tmp_path, monkeypatch):
    made = pictures.Pictures(TINY, data, device=CPU, reuse=Reuse("head", folder=tmp_path))
    made.draw_ahead(2).join()
    (drawn,) = tmp_path.glob("*.npy")
    monkeypatch.setattr(pictures, "epoch_view", None)
    np.testing.assert_array_equal(made.view(2).images, np.load(drawn))


def test_a_trial_whose_views_are_drawn_ahead_has_the_same_figures(data, tmp_path):
    alone, told = train(TINY, data, NO_REUSE), []
    trial = Trial(TINY, data, device=CPU, workers=SOLO, reuse=Reuse("head", folder=tmp_path))
    assert not trial.draws_ahead  # it would take the time from a CPU's own training
    trial.draws_ahead = True
    while not trial.finished:
        metrics = trial.run_epoch(trial.epoch + 1)
        told.append({k: v for k, v in metrics.items() if k not in MEASURED})
    assert told == alone


@pytest.mark.parametrize(
    ("depth", "shape"), [("top5", (256, 2, 2)), ("stage4", (256, 2, 2)), ("stage3", (128, 4, 4))]
)
def test_what_lies_below_the_unfreeze_point(data, tmp_path, depth, shape):
    model = build_model(TINY, 4)
    set_trainable(model, depth)
    made = pictures.Pictures(TINY, data, device=CPU, reuse=Reuse("trunk", folder=tmp_path))
    below = made.below(model, made.val)
    assert below.shape == (24, *shape)
    assert below[:3].is_contiguous(memory_format=torch.channels_last)


def test_a_trial_whose_whole_network_trains_shares_no_trunk(data, tmp_path):
    model = build_model(TINY, 4)
    set_trainable(model, "all")
    made = pictures.Pictures(TINY, data, device=CPU, reuse=Reuse("trunk", folder=tmp_path))
    assert made.below(model, made.val) is None


def test_auto_shares_a_trunk_that_is_small_beside_the_limit():
    shared = Reuse("auto", limit_bytes=16_000)
    assert shared.shares_trunk(1_000)
    assert not shared.shares_trunk(1_001)
    assert not Reuse("head").shares_trunk(1)


def test_an_array_is_computed_once_and_what_is_written_into_it_stays_private(tmp_path):
    shared, one = Reuse(folder=tmp_path), Counted(np.arange(6).reshape(2, 3))
    for _ in range(3):
        found = shared.get({"n": 1}, one)
        np.testing.assert_array_equal(found, one.array)
        if found is not one.array:
            found[0, 0] = 99
    assert one.calls == 1
    assert shared.get({"n": 2}, Counted(np.zeros(1)))[0] == 0


def test_off_computes_always_and_leaves_nothing(tmp_path):
    one = Counted(np.zeros(3))
    for _ in range(2):
        Reuse("off", folder=tmp_path).get({}, one)
    assert one.calls == 2
    assert list(tmp_path.iterdir()) == []


def test_the_least_recently_used_goes_first(tmp_path):
    arrays = [Counted(np.full(100, i)) for i in range(4)]
    shared = Reuse(folder=tmp_path, limit_bytes=3 * (arrays[0].array.nbytes + 200))
    for i in (0, 1, 2, 0, 3):  # 3 wants room: 1 was not used for longest
        shared.get({"n": i}, arrays[i])
        time.sleep(0.01)
    for i in (0, 2, 3):
        shared.get({"n": i}, arrays[i])
    assert [each.calls for each in arrays] == [1, 1, 1, 1]
    shared.get({"n": 1}, arrays[1])
    assert arrays[1].calls == 2
    occupied = sum(path.stat().st_size for path in tmp_path.glob("*.npy"))
    assert occupied <= shared.limit_bytes


def test_what_is_larger_than_the_limit_is_not_shared(tmp_path):
    one = Counted(np.zeros(1000))
    shared = Reuse(folder=tmp_path, limit_bytes=100)
    assert len(shared.get({}, one)) == len(shared.get({}, one)) == 1000
    assert list(tmp_path.glob("*.npy")) == []


def test_an_evicted_array_stays_with_who_has_it(tmp_path):
    shared = Reuse(folder=tmp_path)
    shared.get({}, Counted(np.arange(1000)))
    held = shared.get({}, Counted(np.zeros(1)))
    for path in tmp_path.glob("*.npy"):
        path.unlink()
    np.testing.assert_array_equal(held, np.arange(1000))


def compute_for_ever(folder: Path, told) -> None:
    def never() -> np.ndarray:
        told.set()
        time.sleep(60)
        return np.zeros(1)

    Reuse(folder=folder).get({"n": 1}, never)


def test_a_killed_producer_is_replaced(tmp_path):
    context = multiprocessing.get_context("fork")
    told = context.Event()
    producer = context.Process(target=compute_for_ever, args=(tmp_path, told))
    producer.start()
    assert told.wait(10)
    os.kill(producer.pid, signal.SIGKILL)
    producer.join()
    one = Counted(np.ones(3))
    assert Reuse(folder=tmp_path).get({"n": 1}, one).sum() == 3
    assert one.calls == 1


def test_a_disk_without_room_costs_the_sharing_and_nothing_else(tmp_path, monkeypatch):
    def no_room(file, array, **_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(reuse.np, "save", no_room)
    shared, one = Reuse(folder=tmp_path), Counted(np.ones(3))
    for _ in range(2):
        assert shared.get({}, one).sum() == 3
    assert one.calls == 2
    assert list(tmp_path.glob("*.part")) == []


def test_another_users_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(reuse.os, "getuid", lambda: -1)
    with pytest.raises(UserError, match="belongs to another user"):
        Reuse(folder=tmp_path).get({}, Counted(np.zeros(1)))


def test_a_fingerprint_is_of_content_type_and_shape():
    base = np.arange(6, dtype=np.uint8)
    others = [base + 1, base.reshape(2, 3), base.astype(np.int64), base[::-1]]
    assert fingerprint(base) == fingerprint(base.copy())
    assert len({fingerprint(each) for each in (base, *others)}) == 5
