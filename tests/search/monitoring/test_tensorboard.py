"""What TensorBoard reads of a run, with its own reader."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from search.monitoring.tensorboard import TensorBoard
from search.records.folder import RunFolder
from search.records.record import RunRecord
from search.settings.settings import Settings
from trainables.config import FineTuneConfig
from trainables.data.images import ImageSet
from trainables.storage.files import write_json
from trainables.storage.layout import FORMAT_VERSION
from trainables.training.pictures import TrialData

NAMES = ("cat", "dog")


def pictures() -> TrialData:
    images = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), dtype=np.uint8)
    labels = np.arange(20, dtype=np.int64) % 2
    data = ImageSet(images=images, labels=labels, class_names=NAMES)
    return TrialData(train=data, val=data, data_seed=0)


@pytest.fixture
def folder(tmp_path) -> RunFolder:
    made, settings = RunFolder(tmp_path), Settings(preset="demo", data="synthetic", space="core")
    write_json(
        made.experiment,
        {
            **{"format_version": FORMAT_VERSION, "name": "demo", "space": "core"},
            **{"settings": settings.to_dict(), "data": settings.data_spec.to_dict()},
            **{"class_names": NAMES, "data_fingerprint": "train 1 val 2", "git_commit": None},
            "command": "python -m search.run --preset demo",
        },
    )
    return made


def searched(
    folder: RunFolder, *, status: str = "finished", is_damaged: bool = False, **event: Any
) -> Path:
    """A trial of two epochs that ended; returns where its events are."""
    record, board = RunRecord(), TensorBoard(folder, {0: pictures()}, params=["unfreeze"])
    config = FineTuneConfig(seed=0).to_dict()
    params = {"unfreeze": "stage4", "dropout": 0.25, "nesterov": True, "depth": 3}
    record.apply({"event": "started", "trial": 3, "config": config, "params": params})
    place = folder.trials / "trial_0003"
    for epoch, value in ((1, 0.6), (2, 0.5)):
        report = {
            **{"epoch": epoch, "phase": epoch, "train_loss": 1.5, "train_accuracy": 0.4},
            **{"val_loss": 1.25, "val_accuracy": value, "val_macro_f1": value},
            **{"val_f1": {"cat": value, "dog": value}, "val_confusion": [[6, 4], [4, 6]]},
            **{"rate": {"head": 1e-3}, "images_per_second": 812.3, "epoch_seconds": 2.0},
            "peak_memory_bytes": 2**30,
        }
        record.apply({"event": "reported", "trial": 3, "report": report})
        board.on_epoch(record, record.trials[3], report)
        checkpoint = place / f"checkpoint_{epoch:04d}"
        checkpoint.mkdir(parents=True)
        said = np.tile(np.arange(20) % 2, (epoch, 1)).astype(np.int16)
        save_file({"val_predictions": said}, checkpoint / "state.safetensors")
        if is_damaged:
            (checkpoint / "state.safetensors").write_bytes(b"damaged")
    record.apply({"event": status, "trial": 3, **event})
    board.on_end(record, record.trials[3])
    return place


def read(place: Path) -> EventAccumulator:
    return EventAccumulator(str(place)).Reload()


def hparams(events: EventAccumulator, tag: str) -> HParamsPluginData:
    return HParamsPluginData.FromString(events.PluginTagToContent("hparams")[f"_hparams_/{tag}"])


def test_scalars_are_grouped_and_stand_at_the_trials_own_epochs(folder):
    events = read(searched(folder))
    groups = {tag.partition("/")[0] for tag in events.Tags()["scalars"]}
    assert groups == {"train", "val", "val_f1_by_class", "rate", "speed"}
    assert [(e.step, round(e.value, 3)) for e in events.Scalars("val/macro_f1")] == [
        *((1, 0.6), (2, 0.5))
    ]
    assert [round(e.value, 3) for e in events.Scalars("val/best_macro_f1")] == [0.6, 0.6]


def test_a_row_of_the_hparams_page(folder):
    place = searched(folder)
    row = hparams(read(place), "session_start_info").session_start_info
    values = {name: getattr(v, v.WhichOneof("kind")) for name, v in row.hparams.items()}
    assert values == {
        **{"unfreeze": "stage4", "dropout": 0.25, "nesterov": True, "depth": 3.0},
        "status": "finished",
    }
    assert hparams(read(place), "session_end_info").session_end_info.status == 1  # success
    columns = hparams(read(folder.root / "overview"), "experiment").experiment
    assert [info.name for info in columns.hparam_infos] == ["unfreeze", "status"]
    shown = {metric.name.tag: metric.display_name for metric in columns.metric_infos}
    assert shown["val/best_macro_f1"] == "best macro-F1"
    assert shown["val/macro_f1"] == "last macro-F1"


def test_a_finished_trial_has_its_pictures_of_its_best_epoch(folder):
    events = read(searched(folder))
    assert events.Tags()["images"] == ["val/confusion_matrix", "val/predictions"]
    for tag in events.Tags()["images"]:
        (image,) = events.Images(tag)
        assert image.step == 1
        assert Image.open(io.BytesIO(image.encoded_image_string)).width == image.width


@pytest.mark.parametrize(("status", "ended"), [("stopped", 1), ("failed", 2), ("diverged", 2)])
def test_other_trials_have_none(folder, status, ended):
    events = read(searched(folder, status=status, rung=1, cause="of its own"))
    assert events.Tags()["images"] == []
    assert hparams(events, "session_end_info").session_end_info.status == ended


def test_a_checkpoint_that_cannot_be_read_is_told_in_the_pictures_place(folder):
    events = read(searched(folder, is_damaged=True))
    assert events.Tags()["images"] == ["val/confusion_matrix"]
    (told,) = events.Tensors("val/predictions")
    assert b"checkpoint_0001/state.safetensors cannot be read" in told.tensor_proto.string_val[0]


def test_the_overview_is_a_card_of_the_run_and_a_layout(folder):
    searched(folder)
    events = read(folder.root / "overview")
    (told,) = events.Tensors("run")
    card = told.tensor_proto.string_val[0].decode()
    assert "| classes | cat, dog |" in card
    assert "| num_trials | 16 |" in card
    assert "`python -m search.run --preset demo`" in card
    (layout,) = events.Tensors("custom_scalars__config__")
    charts = layout_pb2.Layout.FromString(layout.tensor_proto.string_val[0])
    together = [[*chart.multiline.tag] for group in charts.category for chart in group.chart]
    assert ["train/loss", "val/loss"] in together
    assert ["rate/.*"] in together
