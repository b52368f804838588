"""Runs whose backbone weights are no more what they were: another release, or a file that moved."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from huggingface_hub import ModelCard
from safetensors.torch import save_file

from search import rerun
from search.confirm import __main__ as confirm
from search.export import __main__ as export
from search.export.licences import BACKBONE_LICENSE
from search.records.folder import RunFolder
from search.settings.command_line import parse_settings
from search.settings.settings import Settings
from tests.helpers.exportable import CHECKPOINT, CONFIG, make_exportable
from trainables.data.load import load_training
from trainables.data.spec import DataSpec
from trainables.errors import UserError
from trainables.models import checkpoint_folders, run_weights
from trainables.models import weights as weights_module
from trainables.models.checkpoints import load_checkpoint, load_trained
from trainables.models.exported import load_exported
from trainables.models.run_weights import keep_weights, recorded_id, stand_ins, weights_of_run
from trainables.models.weight_paths import file_sha256
from trainables.models.weight_places import expected_state
from trainables.models.weights import EMBEDDED_FILE, EMBEDDED_LICENSE, EMBEDDED_SHA256
from trainables.storage import journal, working_copy
from trainables.storage.files import write_json
from trainables.training.pictures import TrialData
from trainables.two_phase import fine_tune

ASSET = Path(weights_module.__file__).parents[1] / "assets" / EMBEDDED_FILE
MISSING = (
    f"the run's backbone weights 'embedded' are not here .*; allowed: {EMBEDDED_FILE} "
    rf"\(sha256 {EMBEDDED_SHA256}\); give that file with --weights PATH"
)


def settings_of(root: Path, **changes: Any) -> Settings:
    return Settings(
        data=f"imagefolder:{root / 'pictures'}",
        **{"train_size": 90, "val_size": 180, "batch_size": 8, "resolution": 40},
        **{"name": "run", "storage": str(root), "num_trials": 3, "space": "core"},
        **changes,
    )


def make_old(root: Path, weights: str = "embedded") -> RunFolder:
    """A run as earlier releases made it: only its checkpoint says which net it is on."""
    run = make_exportable(root, weights=weights)
    settings = settings_of(root, weights=weights).to_dict()
    base = CONFIG.to_dict() | {"weights": weights}
    write_json(run.experiment, run.read_experiment() | {"settings": settings, "base_config": base})
    config = run.read_best()["config"]
    report = {"epoch": 1, "val_macro_f1": 0.5, "val_accuracy": 0.5}
    journal.append(run.journal, "started", trial=2, config=config, params={})
    journal.append(run.journal, "reported", trial=2, report=report)
    journal.append(run.journal, "finished", trial=2)
    return run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a run on what is embedded now, and of its export."""
    root = tmp_path_factory.mktemp("old")
    make_old(root)
    return root


@pytest.fixture(scope="module")
def logits(made: Path) -> np.ndarray:
    """Of the run's model, on the net that it was made on."""
    return load_trained(made / "run" / CHECKPOINT).predict_logits(pictures())


@pytest.fixture(scope="module")
def another(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a later release might embed: a folder like the package's own."""
    folder = tmp_path_factory.mktemp("later") / "assets"
    folder.mkdir()
    state = {n: torch.ones(t.shape).to(t.dtype) for n, t in expected_state("resnet18").items()}
    save_file(state, folder / EMBEDDED_FILE)
    shutil.copy(ASSET.with_name(EMBEDDED_LICENSE), folder)
    return folder.parent


@pytest.fixture
def run(made: Path, tmp_path: Path, logits: np.ndarray) -> RunFolder:
    shutil.copytree(made / "run", tmp_path / "run")
    return RunFolder(tmp_path / "run")


@pytest.fixture
def later(another: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The later release."""
    embed(another, monkeypatch)


def embed(another: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sha256 = file_sha256(another / "assets" / EMBEDDED_FILE)
    monkeypatch.setattr(weights_module, "EMBEDDED_SHA256", sha256)
    monkeypatch.setattr(weights_module.resources, "files", lambda _: another)


@pytest.fixture
def net(tmp_path: Path) -> str:
    """The net that the run was made on, as a user keeps it."""
    shutil.copyfile(ASSET, tmp_path / "kept by hand.safetensors")
    return str(tmp_path / "kept by hand.safetensors")


def pictures() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)


def contents(run: RunFolder) -> dict[Path, bytes]:
    return {
        path: path.read_bytes()
        for path in sorted(run.root.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def resume_flags(run: RunFolder) -> list[str]:
    return ["--resume", "--name", "run", "--storage", str(run.root.parent)]


CALLS = {
    "load": lambda run, flags: load_trained(run.root / CHECKPOINT),
    "export": lambda run, flags: export.main([str(run.root), *flags]),
    "confirm": lambda run, flags: confirm.main([str(run.root), *flags]),
    "rerun": lambda run, flags: rerun.main([str(run.root), "2", *flags]),
    "resume": lambda run, flags: parse_settings([*resume_flags(run), *flags]),
}


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("call", CALLS)
def test_without_the_net_one_line_names_it_and_nothing_is_written(
    run: RunFolder, call: str
) -> None:
    before = contents(run)
    with pytest.raises(UserError, match=MISSING) as caught:
        CALLS[call](run, [])
    assert len(caught.value.faults) == 1
    assert contents(run) == before


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("call", [name for name in CALLS if name != "load"])
def test_another_file_in_its_place_is_refused(
    run: RunFolder, call: str, another: Path, tmp_path: Path
) -> None:
    before = contents(run)
    wrong = another / "assets" / EMBEDDED_FILE
    for given, found in (
        (str(wrong), f"sha256 {file_sha256(wrong)}"),
        (str(tmp_path / "absent.safetensors"), "no file"),
    ):
        with pytest.raises(UserError) as caught:
            CALLS[call](run, ["--weights", given])
        (fault,) = caught.value.faults
        assert f"--weights is {given!r} ({found}), but the run was started with" in fault
        assert f"allowed: {EMBEDDED_FILE} (sha256 {EMBEDDED_SHA256})" in fault
    assert contents(run) == before


@pytest.mark.usefixtures("later")
def test_with_the_net_the_run_keeps_it_and_answers_as_before(
    run: RunFolder, net: str, logits: np.ndarray
) -> None:
    keep_weights(run.root, net)
    (kept,) = (run.root / "weights").iterdir()
    assert kept.name == f"{EMBEDDED_SHA256}.safetensors"
    Path(net).unlink()
    assert weights_of_run(run.root) == str(kept)
    assert run.stand_ins() == {"embedded": str(kept)}
    keep_weights(run.root)  # again: nothing to do
    assert [*(run.root / "weights").iterdir()] == [kept]
    trained = load_trained(run.root / CHECKPOINT)
    assert np.array_equal(trained.predict_logits(pictures()), logits)
    moved = run.root.rename(run.root.with_name("elsewhere"))
    assert np.array_equal(load_trained(moved / CHECKPOINT).predict_logits(pictures()), logits)


@pytest.mark.usefixtures("later")
def test_a_kept_file_that_was_damaged_is_not_taken(run: RunFolder, net: str) -> None:
    keep_weights(run.root, net)
    (kept,) = (run.root / "weights").iterdir()
    kept.write_bytes(kept.read_bytes()[:-1] + b"x")
    with pytest.raises(UserError, match=MISSING):
        load_trained(run.root / CHECKPOINT)
    keep_weights(run.root, net)
    assert load_trained(run.root / CHECKPOINT).epoch == 1


@pytest.mark.usefixtures("later")
def test_resuming_goes_on_on_the_old_net(run: RunFolder, net: str, tmp_path: Path) -> None:
    settings = parse_settings([*resume_flags(run), "--weights", net, "--num-trials", "5"])
    assert (settings.weights, settings.num_trials) == (net, 5)
    keep_weights(run.root, settings.weights)
    (kept,) = (run.root / "weights").iterdir()
    assert parse_settings(resume_flags(run)).weights == str(kept)
    assert parse_settings([*resume_flags(run), "--weights", net]).weights == str(kept)
    assert parse_settings([*resume_flags(run), "--weights", "embedded"]).weights == str(kept)
    for other in ("imagenet", "none"):
        with pytest.raises(UserError, match=f"--weights is {other!r}, but the run was started"):
            parse_settings([*resume_flags(run), "--weights", other])


def test_a_trial_goes_on_to_the_same_numbers_on_the_old_net(
    run: RunFolder, net: str, another: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    loaded = load_training(DataSpec.from_dict(run.read_experiment()["data"]))
    data = TrialData(train=loaded.train, val=loaded.val, data_seed=0)
    config = CONFIG.from_dict(CONFIG.to_dict() | {"head_epochs": 2})

    def trained(name: str, **options: Any) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = []

        def report(metrics: dict[str, Any], make_checkpoint: Any) -> None:
            told.append({name: value for name, value in metrics.items() if "loss" in name})
            if make_checkpoint and metrics["epoch"] == 1:
                (tmp_path / name).mkdir()
                make_checkpoint().save(tmp_path / name)

        fine_tune(config, data, report, device=torch.device("cpu"), **options)
        return told

    whole = trained("first")
    embed(another, monkeypatch)
    assert trained("on the other net") != whole
    with pytest.raises(UserError, match="was made on backbone weights embedded sha256:915f"):
        trained("x", resume_from=tmp_path / "first")
    again = trained("again", resume_from=tmp_path / "first", weights=net)
    assert again == whole
    assert trained("fresh", weights=net) == whole
    assert load_checkpoint(tmp_path / "fresh").weights_id == f"file sha256:{EMBEDDED_SHA256}"


@pytest.mark.usefixtures("later")
@pytest.mark.timeout(180)  # the export is reloaded in a fresh process
def test_an_export_needs_no_net_and_another_is_made_with_it(
    run: RunFolder, net: str, logits: np.ndarray
) -> None:
    export.main([str(run.root), "--weights", net])
    shutil.rmtree(run.root / "weights")
    assert np.allclose(load_exported(run.export).predict_logits(pictures()), logits, atol=1e-4)


# What is on record


def test_the_record_of_a_run_without_one(run: RunFolder) -> None:
    assert recorded_id(run.root) == f"embedded sha256:{EMBEDDED_SHA256}"
    shutil.rmtree(run.trials)
    assert recorded_id(run.root) == run_weights.FIRST_EMBEDDED  # its trials were on that
    with pytest.raises(UserError, match=r"resnet18_tinyimagenet.safetensors \(sha256 7d8cdc874fe0"):
        parse_settings(resume_flags(run))
    run.journal.write_text("")
    assert recorded_id(run.root) == ""
    assert parse_settings(resume_flags(run)).weights == "embedded"


@pytest.mark.usefixtures("later")
def test_the_record_of_a_new_run_is_enough(run: RunFolder) -> None:
    shutil.rmtree(run.trials)
    told = {"id": f"embedded sha256:{EMBEDDED_SHA256}"}
    write_json(run.experiment, run.read_experiment() | {"weights": told})
    with pytest.raises(UserError, match=MISSING):
        parse_settings(resume_flags(run))


@pytest.mark.usefixtures("later")
def test_cures_around_it_are_trained_on_its_net(run: RunFolder, net: str) -> None:
    flags = ["--around", str(run.root), "--space", "interventions", "--storage", str(run.root)]
    with pytest.raises(UserError, match=MISSING):
        parse_settings(flags)
    assert parse_settings([*flags, "--weights", net]).weights == net
    keep_weights(run.root, net)
    (kept,) = (run.root / "weights").iterdir()
    assert parse_settings(flags).weights == str(kept)


# A file of one's own


@pytest.fixture(scope="module")
def of_a_file(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """A run on one of two networks in a file, and its logits."""
    root = tmp_path_factory.mktemp("own")
    torch.manual_seed(3)
    states = {
        name: {
            key: torch.rand(value.shape).to(value.dtype) / 10
            for key, value in expected_state("resnet18").items()
        }
        for name in ("student", "teacher")
    }
    torch.save(states, root / "dino.pth")
    run = make_old(root, weights=f"{root / 'dino.pth'}#student")
    return root, load_trained(run.root / CHECKPOINT).predict_logits(pictures())


def test_a_file_that_moved_is_given_again(
    of_a_file: tuple[Path, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, before = of_a_file
    run = RunFolder(Path(shutil.copytree(root / "run", tmp_path / "run")))
    moved = tmp_path / "moved.ckpt"
    (root / "dino.pth").rename(moved)
    try:
        with pytest.raises(UserError) as caught:
            parse_settings(resume_flags(run))
        (fault,) = caught.value.faults
        assert f"'{root}/dino.pth#student' are not here (found no such file)" in fault
        assert "allowed: dino.pth (sha256" in fault
        assert f"(sha256 {file_sha256(moved)}, its student)" in fault
        with pytest.raises(UserError, match="its student"):
            load_trained(run.root / CHECKPOINT)
        with pytest.raises(UserError, match="its student"):
            parse_settings([*resume_flags(run), "--weights", f"{moved}#teacher"])
        monkeypatch.chdir(tmp_path)
        settings = parse_settings([*resume_flags(run), "--weights", "moved.ckpt"])
        assert settings.weights == f"{moved}#student"
        keep_weights(run.root, settings.weights)
        (kept,) = (run.root / "weights").iterdir()
        assert kept.name == f"{file_sha256(moved)}.ckpt"
        assert stand_ins(run.root) == {f"{root}/dino.pth#student": f"{kept}#student"}
        trained = load_trained(run.root / CHECKPOINT)
        assert np.array_equal(trained.predict_logits(pictures()), before)
    finally:
        moved.rename(root / "dino.pth")


def test_a_path_that_an_earlier_release_kept_relative_is_found_where_it_was_typed(
    of_a_file: tuple[Path, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, _ = of_a_file
    run = RunFolder(Path(shutil.copytree(root / "run", tmp_path / "run")))
    experiment = run.read_experiment()
    settings = experiment["settings"] | {"weights": "dino.pth#student"}
    told = {"id": f"file sha256:{file_sha256(root / 'dino.pth')}#student"}
    write_json(run.experiment, experiment | {"settings": settings, "weights": told})
    monkeypatch.chdir(root)
    assert parse_settings(resume_flags(run)).weights == f"{root}/dino.pth#student"
    keep_weights(run.root)
    monkeypatch.chdir(tmp_path)
    (here,) = stand_ins(run.root).values()
    assert here.startswith(f"{run.root}/weights/")


# In a bucket


def test_every_node_finds_the_file_in_the_store(
    run: RunFolder, net: str, later: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored: dict[str, Path] = {}
    store = SimpleNamespace(exists=stored.__contains__, put=stored.__setitem__)
    mirror: Any = SimpleNamespace(store=store)
    copy = working_copy.WorkingCopy("s3://bucket/runs/run", run.root, mirror)
    pulled = RunFolder(run.root, copy)
    pulled.keep_weights(net)
    pulled.keep_weights()
    kept = run.root / "weights" / f"{EMBEDDED_SHA256}.safetensors"
    assert stored == {f"weights/{kept.name}": kept}  # before any worker is started
    address = pulled.stand_ins()["embedded"]
    assert address == f"s3://bucket/runs/run/weights/{EMBEDDED_SHA256}.safetensors"

    class Store:
        def __init__(self, uri: str) -> None:
            assert uri == "s3://bucket/runs/run/weights"

        def get(self, key: str, path: Path) -> None:
            shutil.copyfile(run.root / "weights" / key, path)

    monkeypatch.setattr(checkpoint_folders, "Store", Store)
    with checkpoint_folders.fetched_file(f"{address}#student") as here:
        path, _, place = here.partition("#")
        assert (file_sha256(Path(path)), place) == (EMBEDDED_SHA256, "student")
    assert not Path(path).exists()
    with checkpoint_folders.fetched_file("") as here:
        assert here == ""


# The licence


@pytest.mark.timeout(180)
def test_an_export_on_the_embedded_net_has_its_licence(run: RunFolder) -> None:
    export.main([str(run.root)])
    notice = (run.export / BACKBONE_LICENSE).read_text()
    assert notice == ASSET.with_name("resnet18_imagenet.LICENSE").read_text()
    assert "Permission is hereby granted, free of charge" in notice
    card = ModelCard.load(run.export / "README.md")
    assert (card.data.license, card.data.license_link) == ("other", "LICENSE.backbone")
    assert card.data.license_name == "apache-2.0-and-mit"
    assert "what was added in training is Apache-2.0; the backbone's weights are MIT" in card.text
    assert "Microsoft.ML.DnnImageFeaturizer.ResNet18 0.23.1" in card.text
    assert "`config.json`, `LICENSE.backbone`." in card.text


def test_a_model_on_the_net_before_has_todays_text(run: RunFolder) -> None:
    from search.export.model_card import licence_of_model, model_card

    path = run.root / CHECKPOINT / "state.json"
    state = json.loads(path.read_text())
    path.write_text(json.dumps(state | {"weights_id": run_weights.FIRST_EMBEDDED}))
    best = run.read_best()
    card = ModelCard(model_card(run, best, ["safetensors"], final=False))
    assert (card.data.license, card.data.get("license_link")) == ("apache-2.0", None)
    assert "- Licence: Apache-2.0, as the project that trained it." in card.text
    assert licence_of_model(run, best).text == ""
