"""Checkpoints as people have them: the backbone in them is found, and nothing of them is run."""

import argparse
import collections
import functools
import os
import pathlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision.models import resnet

from trainables.errors import UserError
from trainables.models.weight_places import expected_state
from trainables.models.weights import (
    check_weights,
    check_weights_file,
    load_backbone_state,
    told_origin,
    weights_id,
    weights_record,
)

State = dict[str, Tensor]
OPTIMIZER = {"state": {0: {"exp_avg": torch.zeros(2)}}, "param_groups": [{"lr": 0.1}]}


def state_of(backbone: str = "resnet18", *, seed: int = 0) -> State:
    """Names and shapes of a backbone; each tensor one number, stored once, so files are small."""
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.zeros((), dtype=torch.int64)
        if name.endswith("num_batches_tracked")
        else torch.rand(1, generator=generator).expand(value.shape)
        for name, value in expected_state(backbone).items()
    }


def state_of_model(model: nn.Module) -> State:
    return {
        name: torch.zeros((), dtype=v.dtype).expand(v.shape)
        for name, v in model.state_dict().items()
    }


def under(prefix: str, state: State) -> State:
    return {prefix + name: tensor for name, tensor in state.items()}


@pytest.fixture(scope="module")
def state() -> State:
    return state_of()


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., str]:
    def save(content: Any, name: str = "mine.pth") -> str:
        torch.save(content, tmp_path / name)
        return str(tmp_path / name)

    return save


def assert_same(first: State, second: State) -> None:
    assert [*first] == [*second]
    assert all(torch.equal(first[name], second[name]) for name in first)


def fault_of(backbone: str, weights: str) -> str:
    """The one line with which a file is refused."""
    with pytest.raises(UserError) as caught:
        load_backbone_state(backbone, weights)
    (fault,) = caught.value.faults
    assert "\n" not in fault
    assert "allowed: " in fault
    assert check_weights_file(backbone, weights) == [fault]
    return fault


# Where the backbone is

HEAD = {"fc.weight": torch.zeros(7, 512), "fc.bias": torch.zeros(7)}
EMA = state_of(seed=1)


def imagenet_example(state: State) -> Any:
    return {
        **{"epoch": 90, "arch": "resnet18", "best_acc1": torch.tensor(0.7)},
        "state_dict": under("module.", state | HEAD),
        "optimizer": OPTIMIZER,
    }


def timm(state: State) -> Any:
    arguments = argparse.Namespace(lr=0.1, aa=None, data_dir=pathlib.Path("/data"))
    return {
        **{"epoch": 3, "arch": "resnet18", "version": 2, "metric": 71.2, "args": arguments},
        "state_dict": state | HEAD,
        "optimizer": OPTIMIZER,
    }


def lightning(prefix: str) -> Callable[[State], Any]:
    def made(state: State) -> Any:
        model = {**under(prefix, state | HEAD), "criterion.weight": torch.ones(7)}
        callbacks = {"ModelCheckpoint{'monitor': 'val.loss'}": {"best_model_path": "/x/a.ckpt"}}
        return {
            **{"epoch": 3, "global_step": 12, "pytorch-lightning_version": "2.5.0"},
            **{"state_dict": model, "loops": {"fit_loop": {"state_dict": {}}}},
            **{"callbacks": callbacks, "optimizer_states": [OPTIMIZER], "lr_schedulers": []},
            "hyper_parameters": {"lr": 0.1, "seen": collections.defaultdict(int, {"a": 1})},
        }

    return made


def tutorial(state: State) -> Any:
    return {
        **{"epoch": 5, "model_state_dict": state | HEAD, "optimizer_state_dict": OPTIMIZER},
        **{"loss": np.float64(0.25), "curve": np.arange(3.0), "best": np.bool_(True)},
    }


def compiled(state: State) -> Any:
    return {f"_orig_mod.{name}": tensor for name, tensor in (state | HEAD).items()}


def with_a_projector(state: State) -> Any:
    projector = {"fc.0.weight": torch.zeros(3, 512), "fc.2.weight": torch.zeros(3, 3)}
    return {**state, **projector, "projector.0.weight": torch.zeros(4, 4)}


KINDS = {
    "ImageNet example": (
        imagenet_example,
        "state_dict.module",
        ["epoch", "arch", "best_acc1", "state_dict.module.fc", "optimizer"],
    ),
    "timm": (
        timm,
        "state_dict",
        ["epoch", "arch", "version", "metric", "args", "state_dict.fc", "optimizer"],
    ),
    "Lightning, model.": (
        lightning("model."),
        "state_dict.model",
        [
            *("epoch", "global_step", "pytorch-lightning_version", "state_dict.model.fc"),
            *("state_dict.criterion", "loops", "callbacks", "optimizer_states", "lr_schedulers"),
            "hyper_parameters",
        ],
    ),
    "Lightning, net.": (lightning("net."), "state_dict.net", None),
    "tutorial": (
        tutorial,
        "model_state_dict",
        ["epoch", "model_state_dict.fc", "optimizer_state_dict", "loss", "curve", "best"],
    ),
    "compiled": (compiled, "_orig_mod", ["_orig_mod.fc"]),
    "projector": (with_a_projector, "", ["fc", "projector"]),
    "deep": (lambda state: {"a": {"b": {"c.d": 1, "model": state}}}, "a.b.model", ["a.b.c"]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_one_backbone_is_found_whatever_nests_it(
    kind: str, state: State, saved: Callable[..., str]
) -> None:
    make, place, others = KINDS[kind]
    path = saved(make(state))
    assert check_weights_file("resnet18", path) == []
    assert_same(load_backbone_state("resnet18", path), state)
    record = weights_record("resnet18", path)
    assert (record["file"], record["place"]) == ("mine.pth", place)
    assert record["id"] == f"file sha256:{record['sha256']}"
    if others is not None:
        assert record["left_out"] == others
    line = told_origin(record)
    assert line.startswith(f"mine.pth (sha256 {record['sha256']}): ")
    assert "\n" not in line
    assert str(Path(path).parent) not in line


def test_the_line_lists_no_more_than_a_few(state: State, saved: Callable[..., str]) -> None:
    path = saved(lightning("model.")(state))
    assert told_origin(weights_record("resnet18", path)).endswith(
        "what lies at state_dict.model; left out: epoch, global_step, pytorch-lightning_version, "
        "state_dict.model.fc, state_dict.criterion, loops and 4 more"
    )
    assert told_origin(weights_record("resnet18", "embedded")) == ""


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".ckpt", ".pth.tar", ".tar", ".bin"])
def test_every_suffix_that_torch_files_have(
    state: State, saved: Callable[..., str], suffix: str
) -> None:
    assert_same(load_backbone_state("resnet18", saved(state, f"mine{suffix}")), state)


def test_a_file_of_before_pytorch_1_6(state: State, tmp_path: Path) -> None:
    path = tmp_path / "old.pth"
    torch.save({"state_dict": state}, path, _use_new_zipfile_serialization=False)
    assert_same(load_backbone_state("resnet18", str(path)), state)


def test_safetensors_with_a_prefix_and_parameters(state: State, tmp_path: Path) -> None:
    whole = under("encoder.", {name: tensor.contiguous() for name, tensor in state.items()})
    save_file(whole, tmp_path / "mine.safetensors")
    assert_same(load_backbone_state("resnet18", str(tmp_path / "mine.safetensors")), state)
    of_parameters = {
        name: nn.Parameter(tensor) if tensor.is_floating_point() else tensor
        for name, tensor in state.items()
    }
    torch.save(of_parameters, tmp_path / "mine.pth")
    loaded = load_backbone_state("resnet18", str(tmp_path / "mine.pth"))
    assert not any(tensor.requires_grad for tensor in loaded.values())


# Two places


def moco(state: State) -> Any:
    heads = {"fc.0.weight": torch.zeros(3, 512), "fc.0.bias": torch.zeros(3)}
    queue = {"module.queue": torch.zeros(2, 8), "module.queue_ptr": torch.zeros(1)}
    both = under("module.encoder_q.", state | heads) | under("module.encoder_k.", EMA | heads)
    return {"epoch": 200, "arch": "resnet18", "state_dict": both | queue, "optimizer": OPTIMIZER}


def dino(state: State) -> Any:
    head = {"module.head.mlp.0.weight": torch.zeros(2, 2)}
    return {
        "student": under("module.backbone.", state) | head,
        "teacher": under("module.backbone.", EMA) | head,
        **{"epoch": 100, "dino_loss": {"center": torch.zeros(1, 2)}, "args": argparse.Namespace()},
    }


def timm_with_average(state: State) -> Any:
    return timm(state) | {"state_dict_ema": EMA | HEAD}


def beside(state: State) -> Any:
    return {**state, **under("ema.", EMA)}


TWO = {
    "MoCo": (moco, ("state_dict.module.encoder_q", "state_dict.module.encoder_k")),
    "DINO": (dino, ("student.module.backbone", "teacher.module.backbone")),
    "timm": (timm_with_average, ("state_dict", "state_dict_ema")),
    "beside": (beside, (".", "ema")),
}


@pytest.mark.parametrize("kind", TWO)
def test_of_two_none_is_guessed_and_each_can_be_chosen(
    kind: str, state: State, saved: Callable[..., str]
) -> None:
    make, names = TWO[kind]
    path = saved(make(state), "mine.pth.tar")
    fault = fault_of("resnet18", path)
    assert "hold 2 networks that fit resnet18: " in fault
    assert all(name in fault for name in names)
    assert f"--weights FILE#{names[1]}" in fault
    for name, expected in zip(names, (state, EMA), strict=True):
        assert check_weights("resnet18", f"{path}#{name}") == []
        assert_same(load_backbone_state("resnet18", f"{path}#{name}"), expected)


@pytest.mark.parametrize(
    ("kind", "choice"),
    [("MoCo", "module.encoder_q"), ("MoCo", "encoder_q"), ("DINO", "student")],
)
def test_a_part_of_the_name_is_enough_where_it_tells(
    kind: str, choice: str, state: State, saved: Callable[..., str]
) -> None:
    path = saved(TWO[kind][0](state))
    assert_same(load_backbone_state("resnet18", f"{path}#{choice}"), state)
    assert (
        "state_dict.module.encoder_k"
        in weights_record("resnet18", f"{saved(moco(state))}#encoder_q")["left_out"]
    )


def test_a_place_that_is_none_or_not_one(state: State, saved: Callable[..., str]) -> None:
    path = saved(moco(state))
    for choice in ("encoder", "module.queue", "encoder_q.", "x"):
        fault = fault_of("resnet18", f"{path}#{choice}")
        assert f"no network at {choice!r}; allowed: state_dict.module.encoder_q, " in fault
    assert "hold 2 networks" in fault_of("resnet18", f"{path}#state_dict.module")


def test_the_place_is_part_of_the_identity(state: State, saved: Callable[..., str]) -> None:
    path = saved(dino(state))
    whole = weights_id("resnet18", path)
    assert whole.startswith("file sha256:")
    assert weights_id("resnet18", f"{path}#student") == f"{whole}#student"
    assert weights_id("resnet18", f"{path}#teacher") == f"{whole}#teacher"


def test_a_file_whose_name_has_the_mark(state: State, saved: Callable[..., str]) -> None:
    path = saved(state, "run#3.pth")
    assert_same(load_backbone_state("resnet18", path), state)
    assert "#3" not in weights_id("resnet18", path)
    both = saved(dino(state), "run#4.pth")
    assert_same(load_backbone_state("resnet18", f"{both}#teacher"), EMA)
    odd = saved(EMA, "run.pth#3.pth")
    assert_same(load_backbone_state("resnet18", odd), EMA)


def test_of_two_networks_the_one_that_fits_is_taken(
    state: State, saved: Callable[..., str]
) -> None:
    path = saved({"student": state, "teacher": state_of("resnet34")})
    assert_same(load_backbone_state("resnet18", path), state)
    assert load_backbone_state("resnet34", path)["layer3.5.bn2.bias"].shape == (256,)


# Other networks


@pytest.mark.parametrize("held", ["resnet18", "resnet34", "resnet50", "resnet101"])
@pytest.mark.parametrize("asked", ["resnet18", "resnet34", "resnet50", "resnet101"])
def test_weights_of_another_depth_say_which_backbone(
    held: str, asked: str, saved: Callable[..., str]
) -> None:
    path = saved({"state_dict": under("module.", state_of(held))})
    if held == asked:
        assert check_weights_file(asked, path) == []
        return
    fault = fault_of(asked, path)
    assert f"are a {held}'s, and the backbone is {asked!r}" in fault
    assert f"use --backbone {held}, or" in fault


def cifar_stem() -> State:
    return state_of("resnet50") | {"conv1.weight": torch.zeros(1).expand(64, 3, 3, 3)}


def bottleneck_with_deep_stem() -> State:
    """timm's resnet50d: three convolutions at the bottom, pooling before each projection."""
    state = {n: t for n, t in state_of("resnet50").items() if not n.startswith("conv1.")}
    return state | {f"conv1.{i}.weight": torch.zeros(1).expand(32, 3, 3, 3) for i in (0, 3, 6)}


OTHERS = {
    "CIFAR": (cifar_stem, ["of a resnet50", "1 mismatched (conv1.weight (64, 3, 3, 3) instead of"]),
    "ResNeXt": (
        lambda: state_of_model(resnet.resnext50_32x4d()),
        ["of a resnet50", "mismatched (layer1.0.conv1.weight (128, 64, 1, 1) instead of"],
    ),
    "wide": (
        lambda: state_of_model(resnet.wide_resnet50_2()),
        ["of a resnet50", "mismatched (layer1.0.conv1.weight (128, 64, 1, 1) instead of"],
    ),
    "timm's D": (
        bottleneck_with_deep_stem,
        ["1 missing (conv1.weight)", "3 unexpected (conv1.0.weight, "],
    ),
    "a block more": (
        lambda: state_of() | {"layer4.2.conv1.weight": torch.zeros(1)},
        ["of a resnet18", "1 unexpected (layer4.2.conv1.weight)"],
    ),
    "quantised": (
        lambda: state_of() | {"conv1.weight": torch.zeros(1, dtype=torch.int8).expand(64, 3, 7, 7)},
        ["1 mismatched (conv1.weight (64, 3, 7, 7) torch.int8 instead of"],
    ),
    "no tensor": (
        lambda: state_of() | {"bn1.bias": "cut"},
        ["1 mismatched (bn1.bias a str instead of (64,))"],
    ),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_what_no_backbone_fits_names_the_first_tensor(kind: str, saved: Callable[..., str]) -> None:
    make, words = OTHERS[kind]
    fault = fault_of("resnet18", saved(make()))
    assert "do not fit resnet18, nor another: " in fault
    assert "resnet18, resnet34, resnet50, resnet101, with any head" in fault
    for part in words:
        assert part in fault


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (torch.zeros(3), "hold a lone tensor (3,)"),
        ({}, "hold nothing"),
        (3, "hold a lone int"),
        ({"epoch": 3, "conv1.weight": 1.0}, "hold 2 names (epoch, conv1.weight), none of them"),
        ({"w": torch.zeros(1), "e": 3}, "hold 1 names (w), none of them layer1.0.conv1.weight"),
    ],
    ids=["lone tensor", "nothing", "lone number", "numbers", "another net"],
)
def test_a_file_without_a_resnet(content: Any, words: str, saved: Callable[..., str]) -> None:
    assert words in fault_of("resnet18", saved(content))


def test_nan_is_refused_and_half_precision_and_old_counters_are_not(
    state: State, saved: Callable[..., str]
) -> None:
    broken = state | {"layer2.0.bn1.bias": torch.full((128,), float("inf"))}
    assert "1 not finite (layer2.0.bn1.bias)" in fault_of("resnet18", saved({"model": broken}))
    whole = {name: tensor.bfloat16() for name, tensor in state.items()}
    old = {name: whole[name] for name in whole if not name.endswith("num_batches_tracked")}
    for half in (whole, old):
        loaded = load_backbone_state("resnet18", saved({"model": half}))
        assert {tensor.dtype for tensor in loaded.values()} == {torch.float32, torch.int64}
        assert [*loaded] == [*state]


# Safety


class Runs:
    """Touches a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, (f"touch {self.path}",))


@pytest.mark.parametrize("is_old", [False, True], ids=["today's format", "before 1.6"])
@pytest.mark.parametrize("place", ["args", "state_dict"])
def test_nothing_is_run(state: State, tmp_path: Path, place: str, is_old: bool) -> None:
    content = timm(state) | {place: Runs(tmp_path / "was_run")}
    path = tmp_path / "mine.pth"
    torch.save(content, path, _use_new_zipfile_serialization=not is_old)
    fault = fault_of("resnet18", str(path))
    assert "hold posix.system, which may run code when it is read" in fault
    assert 'torch.save(model.state_dict(), "weights.pth")' in fault
    assert "weights_only" not in fault  # torch's advice is to run the code
    assert not (tmp_path / "was_run").exists()


class Mine(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 1)


@pytest.mark.parametrize("wrap", [lambda model: model, lambda model: {"model": model, "epoch": 3}])
@pytest.mark.parametrize("is_old", [False, True], ids=["today's format", "before 1.6"])
def test_a_whole_model_is_refused_with_the_line_that_saves_its_tensors(
    tmp_path: Path, wrap: Callable[[nn.Module], Any], is_old: bool
) -> None:
    path = tmp_path / "mine.pth"
    for model in (nn.Conv2d(1, 1, 1), nn.Sequential(nn.Linear(1, 1)), Mine()):
        torch.save(wrap(model), path, _use_new_zipfile_serialization=not is_old)
        fault = fault_of("resnet18", str(path))
        assert 'torch.save(model.state_dict(), "weights.pth")' in fault
        if not (is_old and isinstance(model, Mine)):  # there, only the first type is known
            assert "are a whole pickled model (" in fault
    assert "Mine" in fault


def test_an_unknown_type_is_named(state: State, saved: Callable[..., str]) -> None:
    fault = fault_of("resnet18", saved({"state_dict": state, "loss": functools.partial(max)}))
    assert "functools.partial, which may run code" in fault
    assert "save the tensors alone: torch.save(model.state_dict()" in fault


def test_a_scripted_model_is_refused(tmp_path: Path) -> None:
    torch.jit.save(torch.jit.script(nn.Linear(1, 1)), tmp_path / "mine.pt")
    fault = fault_of("resnet18", str(tmp_path / "mine.pt"))
    assert "TorchScript" in fault
    assert "torch.save(model.state_dict()" in fault


@pytest.mark.parametrize("name", ["mine.pth", "mine.ckpt", "mine.safetensors", "mine.tar"])
def test_a_damaged_file(state: State, saved: Callable[..., str], tmp_path: Path, name: str) -> None:
    whole = Path(saved(timm(state), "whole.pth")).read_bytes()
    for content in (b"", b"no weights", whole[: len(whole) // 2], b"\x80\x02" + b"\xff" * 64):
        (tmp_path / name).write_bytes(content)
        assert "cannot be read (" in fault_of("resnet18", str(tmp_path / name))


def test_a_circle_is_no_endless_walk(state: State, saved: Callable[..., str]) -> None:
    content: dict[str, Any] = {"state_dict": state}
    content["self"] = content
    assert_same(load_backbone_state("resnet18", saved(content)), state)
