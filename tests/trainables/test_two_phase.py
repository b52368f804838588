"""The loop: what each phase changes, what is reported, and that a resume changes nothing."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from trainables.config import FineTuneConfig
from trainables.data.images import ImageSet
from trainables.errors import UserError
from trainables.models.checkpoints import CHECKSUMS, RECORD, TENSORS, load_checkpoint, load_trained
from trainables.models.exported import load_exported, save_exported
from trainables.models.network import backbone_layers
from trainables.training.parallel import SOLO, WorkerGroup
from trainables.training.pictures import TrialData
from trainables.two_phase import Trial, fine_tune

CPU = torch.device("cpu")
TINY = FineTuneConfig(
    resolution_px=32, head_epochs=2, finetune_epochs=2, batch_size=16, unfreeze="top5",
    head="bn_dropout", dropout=0.3, cutmix_probability=0.5, head_lr=3e-3,
    backbone_lr_ratio=0.1,
)  # fmt: skip
# What a speed or a memory figure is differs from run to run; all the rest may not.
MEASURED = ("images_per_second", "epoch_seconds", "peak_memory_bytes")


@pytest.fixture
def data(coloured_squares) -> TrialData:
    return TrialData(train=coloured_squares(48), val=coloured_squares(24, seed=1), data_seed=0)


def train(config, data, folder: Path | None = None, resume_from: Path | None = None) -> list[dict]:
    """Reports of a run; with a folder, a checkpoint of each epoch in it."""
    told = []

    def report(metrics, make_checkpoint):
        told.append({k: v for k, v in metrics.items() if k not in MEASURED})
        if folder and make_checkpoint:
            path = folder / str(metrics["epoch"])
            path.mkdir()
            make_checkpoint().save(path)

    fine_tune(config, data, report, device=CPU, resume_from=resume_from)
    return told


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"precision": "bf16"},
        {"optimizer": "sgd", "schedule": "cosine", "head_lr": 0.05},
        {"schedule": "plateau", "class_weights": "balanced", "label_smoothing": 0.1},
        {"ema_decay": 0.5, "mixup_probability": 0.5, "batchnorm": "frozen"},
        {"hard_mining_share": 0.5, "layer_decay": 0.5, "unfreeze": "all", "cutmix_probability": 0},
        {"unfreeze_mode": "gradual", "unfreeze": "top20", "ema_decay": 0.5},
    ],
    ids=lambda settings: " ".join(map(str, settings)) or "tiny",
)
@pytest.mark.timeout(60)
def test_a_trial_resumed_after_any_epoch_gives_the_same_numbers(data, tmp_path, settings):
    config = replace(TINY, **settings)
    whole = train(config, data, tmp_path)
    assert [report["phase"] for report in whole] == [1, 1, 2, 2]
    for epoch in (1, 2, 3, 4):
        assert train(config, data, resume_from=tmp_path / str(epoch)) == whole, epoch


def test_the_reports_are_plain_json_with_the_phases_clock(data):
    told = train(replace(TINY, layer_decay=1.0), data)
    assert json.loads(json.dumps(told)) == told
    assert ["phase2_epoch" in report for report in told] == [False, False, True, True]
    assert [report.get("phase2_epoch") for report in told[2:]] == [1, 2]
    assert [report["finished"] for report in told] == [False, False, False, True]
    assert set(told[0]["rate"]) == {"head"}
    assert set(told[2]["rate"]) == {"head", "backbone"}
    assert told[2]["rate"]["backbone"] == pytest.approx(0.1 * told[2]["rate"]["head"])
    assert sum(map(sum, told[0]["val_confusion"])) == 24


def test_a_trial_learns(data):
    told = train(FineTuneConfig(resolution_px=32, head_epochs=4, finetune_epochs=6, batch_size=8,
                                head_lr=3e-3, ema_decay=0.5), data)  # fmt: skip
    assert told[-1]["val_macro_f1"] > 0.7  # 0.25 is chance
    assert told[-1]["train_loss"] < told[0]["train_loss"]


def test_each_phase_changes_exactly_its_tensors(data):
    trial = Trial(TINY, data, device=CPU, workers=SOLO)

    def changed_by(epoch: int) -> set[str]:
        before = {name: value.clone() for name, value in trial.model.state_dict().items()}
        trial.run_epoch(epoch)
        after = trial.model.state_dict()
        return {name for name in before if not torch.equal(before[name], after[name])}

    head_tensors = {name for name in trial.model.state_dict() if name.startswith("head.")}
    assert changed_by(1) == head_tensors
    moved = changed_by(3)  # the first epoch of phase 2
    assert {name.split(".")[1] for name in moved - head_tensors} == {"layer4"}
    assert "backbone.layer4.1.conv2.weight" in moved
    assert "backbone.layer4.0.conv1.weight" not in moved
    assert "backbone.layer4.0.bn1.running_mean" not in moved


def test_a_head_phase_checkpoint_holds_the_head_alone(data, tmp_path):
    train(FineTuneConfig.from_dict(TINY.to_dict() | {"head": "linear", "finetune_epochs": 0}), data,
          tmp_path)  # fmt: skip
    saved = load_checkpoint(tmp_path / "2")
    assert {name.split(".")[0] for name in saved.model} == {"head"}
    assert (tmp_path / "2" / TENSORS).stat().st_size < 100_000  # AdamW's two moments included


@pytest.mark.parametrize("preprocessing", ["imagenet", "caffe", "unit"])
def test_a_checkpoint_predicts_as_the_trial_did_and_so_does_its_export(
    data, tmp_path, preprocessing
):
    told = train(replace(TINY, preprocessing=preprocessing), data, tmp_path)
    trained = load_trained(tmp_path / "4")
    logits = trained.predict_logits(data.val.images)
    confusion = torch.zeros(4, 4, dtype=torch.int64)
    for row, column in zip(data.val.labels, logits.argmax(axis=1), strict=True):
        confusion[row, column] += 1
    assert confusion.tolist() == told[-1]["val_confusion"]

    (tmp_path / "export").mkdir()
    save_exported(trained, tmp_path / "export", provenance={"epoch": trained.epoch})
    again = load_exported(tmp_path / "export").predict_logits(data.val.images)
    assert (again == logits).all()


def test_a_checkpoint_keeps_what_each_epoch_predicts_for_validation_pictures(data, tmp_path):
    told = train(replace(TINY, ema_decay=0.5), data, tmp_path)
    kept = load_checkpoint(tmp_path / "4").val_predictions
    assert (kept.dtype, kept.shape) == (torch.int16, (4, 24))
    for report, predicted in zip(told, kept, strict=True):
        confusion = np.zeros((4, 4), int)
        np.add.at(confusion, (data.val.labels, predicted), 1)
        assert confusion.tolist() == report["val_confusion"]
    # In the order of the split: the checkpoint's own model says the same of each picture.
    logits = load_trained(tmp_path / "4").predict_logits(data.val.images)
    assert kept[-1].tolist() == logits.argmax(axis=1).tolist()

    (tmp_path / "resumed").mkdir()
    train(replace(TINY, ema_decay=0.5), data, tmp_path / "resumed", resume_from=tmp_path / "2")
    assert torch.equal(load_checkpoint(tmp_path / "resumed" / "4").val_predictions, kept)


class LoneWorker(WorkerGroup):
    """One of a group, whose sums stay its own share."""

    def sum(self, values):
        return values

    def wrap(self, model):
        return model


def test_the_sum_over_workers_puts_predictions_in_the_order_of_the_split(data):
    groups = (SOLO, LoneWorker(rank=0, size=2), LoneWorker(rank=1, size=2))
    trials = [Trial(TINY, data, device=CPU, workers=workers) for workers in groups]
    whole, *shares = (trial.validate(trial.enter_stage(trial.stages[0]))[1] for trial in trials)
    assert whole.unique().numel() > 1
    assert torch.equal(sum(shares), whole)


def test_one_seed_is_one_result_and_another_seed_another(data):
    other = FineTuneConfig.from_dict(TINY.to_dict() | {"seed": 1})
    assert train(TINY, data) == train(TINY, data) != train(other, data)


BASE = FineTuneConfig(
    resolution_px=32, head_epochs=1, finetune_epochs=2, batch_size=16, unfreeze="top5"
)


@pytest.mark.parametrize(
    "change",
    [
        {"head": "mlp"},
        {"dropout": 0.5},
        {"resolution_px": 40},
        {"resolution_px": 40, "interpolation": "nearest"},
        {"preprocessing": "caffe"},
        {"preprocessing": "unit"},
        {"augmentation": "none"},
        {"augmentation": "adaptive"},
        {"cutmix_probability": 0.5},
        {"mixup_probability": 0.5},
        {"class_weights": "deformable"},
        {"hard_mining_share": 0.5},
        {"unfreeze": "stage4"},
        {"unfreeze_mode": "gradual"},
        {"backbone_lr_ratio": 0.01},
        {"layer_decay": 0.5, "unfreeze": "stage3"},
        {"batchnorm": "train"},
        {"optimizer": "sgd"},
        {"schedule": "constant"},
        {"weight_decay": 0.5},
        {"label_smoothing": 0.2},
        {"ema_decay": 0.9},
        {"precision": "bf16"},
    ],
    ids=lambda change: " ".join(f"{name}={value}" for name, value in change.items()),
)
@pytest.mark.timeout(30)
def test_each_dimension_changes_what_is_learnt(animals, change):
    """Beside the tests of each piece: the loop takes the setting up."""
    reference = replace(BASE, **{k: v for k, v in change.items() if k in ("unfreeze",
        "resolution_px") and len(change) > 1})  # fmt: skip
    losses = [train(c, animals)[-1]["val_loss"] for c in (reference, replace(BASE, **change))]
    assert losses[0] != losses[1]


@pytest.fixture
def animals(coloured_squares) -> TrialData:
    """Two rigid and two organic classes, unevenly often."""
    names = ("airplane", "cat", "dog", "ship")

    def named(images: ImageSet, keep: int) -> ImageSet:
        some = np.flatnonzero((images.labels != 1) | (np.arange(len(images)) < keep))
        return replace(images.select(some), class_names=names)

    return TrialData(
        train=named(coloured_squares(48), 24), val=named(coloured_squares(24, seed=1), 24),
        data_seed=0,
    )  # fmt: skip


def test_balanced_weights_change_what_an_uneven_set_teaches(animals):
    losses = [
        train(replace(BASE, class_weights=kind), animals)[-1]["val_loss"]
        for kind in ("none", "balanced")
    ]
    assert losses[0] != losses[1]


def test_early_stopping_ends_a_trial_that_gets_no_better(data):
    hopeless = replace(BASE, finetune_epochs=6, head_lr=1e-7, early_stopping_epochs=2)
    told = train(hopeless, data)
    assert [report["phase"] for report in told] == [1, 2, 2, 2]
    assert told[-1]["finished"]


def test_a_last_epoch_cuts_a_trial_short_and_changes_nothing_before_it(data):
    timings = {"epoch_seconds", "images_per_second", "peak_memory_bytes", "finished"}
    whole, cut = (train(replace(BASE, finetune_epochs=3, last_epoch=e), data) for e in (0, 3))
    assert len(whole) == 4
    assert [report["finished"] for report in cut] == [False, False, True]
    for ours, theirs in zip(cut, whole, strict=False):
        assert {k: v for k, v in ours.items() if k not in timings} == {
            k: v for k, v in theirs.items() if k not in timings
        }


def test_gradual_unfreezing_trains_more_layers_at_lower_rates(data):
    config = replace(BASE, finetune_epochs=4, unfreeze="top20", unfreeze_mode="gradual",
                     schedule="constant")  # fmt: skip
    trial = Trial(config, data, device=CPU, workers=SOLO)
    trained, rates = [], []
    for epoch in range(1, 6):
        rates.append(trial.run_epoch(epoch)["rate"]["head"])
        layers = [m for _, m in backbone_layers(trial.model.backbone)]
        trained.append(sum(next(m.parameters()).requires_grad for m in layers))
    assert trained == [0, 5, 10, 15, 20]
    assert rates == pytest.approx([config.head_lr * f for f in (1, 1, 0.5, 0.25, 0.125)])


def test_frozen_batchnorm_keeps_its_statistics_and_learns_its_scale(data):
    trial = Trial(replace(BASE, batchnorm="frozen"), data, device=CPU, workers=SOLO)
    trial.run_epoch(1)
    before = {name: value.clone() for name, value in trial.model.state_dict().items()}
    trial.run_epoch(2)
    after = trial.model.state_dict()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert not any("running_" in name for name in moved)
    assert "backbone.layer4.1.bn2.weight" in moved


def test_the_average_is_what_is_judged_and_shipped(data, tmp_path):
    told = train(replace(BASE, ema_decay=0.9), data, tmp_path)
    saved = load_checkpoint(tmp_path / "3")
    assert saved.num_averaged == 2 * 3  # steps of phase 2
    name = "head.1.weight"
    assert not torch.equal(saved.average[name], saved.model[name])
    trained = load_trained(tmp_path / "3")
    assert torch.equal(trained.model.state_dict()[name], saved.average[name])
    right = (trained.predict_logits(data.val.images).argmax(axis=1) == data.val.labels).mean()
    assert right == pytest.approx(told[-1]["val_accuracy"])


def test_a_loss_that_is_no_number_ends_the_trial_and_stays_json(data):
    wild = FineTuneConfig(
        resolution_px=32, head_epochs=1, finetune_epochs=3, batch_size=16, optimizer="sgd",
        head_lr=10.0, backbone_lr_ratio=10.0, schedule="constant",
    )  # fmt: skip
    told = train(wild, data)
    assert told[-1]["diverged"]
    assert told[-1]["finished"]
    assert len(told) < 4
    assert all(math.isfinite(v) for v in told[-1].values() if isinstance(v, float))


def test_training_leaves_the_callers_random_state_alone(data):
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    train(FineTuneConfig.from_dict(TINY.to_dict() | {"finetune_epochs": 0}), data)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("name", [TENSORS, RECORD, CHECKSUMS])
def test_a_damaged_checkpoint_is_refused(data, tmp_path, name):
    train(FineTuneConfig.from_dict(TINY.to_dict() | {"finetune_epochs": 0}), data, tmp_path)
    path = tmp_path / "1" / name
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(UserError, match=r"cannot be read .* allowed"):
        load_checkpoint(tmp_path / "1")


def test_a_checkpoint_on_other_backbone_weights_is_refused(data, tmp_path):
    train(FineTuneConfig.from_dict(TINY.to_dict() | {"finetune_epochs": 0}), data, tmp_path)
    (tmp_path / "other").mkdir()
    saved = load_checkpoint(tmp_path / "1")
    replace(saved, weights_id="other sha256:0").save(tmp_path / "other")
    with pytest.raises(UserError, match=r"weights 'embedded' are not here .* \(sha256 0\)"):
        load_trained(tmp_path / "other")


# Memory


PLAIN = replace(
    TINY, head="linear", dropout=0.0, cutmix_probability=0.0, batchnorm="frozen", head_epochs=1
)


def a_device_with_room_for(num_pictures: int):
    """A hook that raises what CUDA's allocator does, for larger batches that are trained."""

    def hook(module, arguments):
        if torch.is_grad_enabled() and len(arguments[0]) > num_pictures:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1.00 GiB")

    return hook


def test_a_batch_too_large_for_the_memory_is_halved_once_and_for_all(data):
    whole, halved = (Trial(PLAIN, data, device=CPU, workers=SOLO) for _ in range(2))
    halved.model.backbone.layer4[0].register_forward_pre_hook(a_device_with_room_for(8))
    expected = [whole.run_epoch(epoch) for epoch in (1, 2, 3)]
    found = [halved.run_epoch(epoch) for epoch in (1, 2, 3)]
    # Phase 1 trains the head alone, on features.
    assert [report["micro_batches"] for report in found] == [1, 2, 2]
    assert [report["micro_batches"] for report in expected] == [1, 1, 1]
    # Where no picture depends on others in its batch, two halves make the same step.
    for name in ("train_loss", "val_loss"):
        told = [[report[name] for report in reports] for reports in (expected, found)]
        assert told[0] == pytest.approx(told[1], rel=1e-4)
    assert found[-1]["train_confusion"] == expected[-1]["train_confusion"]


def test_halves_that_do_not_fit_either_end_the_trial(data):
    trial = Trial(PLAIN, data, device=CPU, workers=SOLO)
    trial.model.backbone.layer4[0].register_forward_pre_hook(a_device_with_room_for(7))
    trial.run_epoch(1)
    with pytest.raises(torch.OutOfMemoryError):
        trial.run_epoch(2)
