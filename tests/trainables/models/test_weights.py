"""Backbone weights by name: what is refused, what is read, and what it is called."""

import hashlib
import subprocess
import sys
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torchvision.models import ResNet18_Weights, get_model, get_model_weights

from trainables.config import CHOICES
from trainables.errors import UserError
from trainables.models import weights as weights_module
from trainables.models.weights import (
    EMBEDDED_FILE,
    EMBEDDED_SHA256,
    check_weights,
    load_backbone_state,
    weights_id,
)

State = dict[str, Tensor]
RESNET18_FILE = "resnet18-f37072fd.pth"  # torchvision's


@pytest.fixture(scope="module")
def resnet18() -> State:
    """A whole torchvision state dict, classifier included."""
    torch.manual_seed(0)
    return get_model("resnet18", weights=None, num_classes=7).state_dict()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """torchvision's folder of downloaded files, empty, and a network that is absent."""

    def unreachable(*_: Any, **__: Any) -> None:
        raise URLError("no route to host")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    monkeypatch.setattr(torch.hub, "urlopen", unreachable)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[State], str]:
    """Save a state dict as safetensors and return its path."""

    def save(state: State, name: str = "weights.safetensors") -> str:
        save_file({key: tensor.clone() for key, tensor in state.items()}, tmp_path / name)
        return str(tmp_path / name)

    return save


def backbone_part(state: State) -> State:
    return {name: tensor for name, tensor in state.items() if not name.startswith("fc.")}


def assert_same(first: State, second: State) -> None:
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


# What shows without torch


@pytest.mark.parametrize("backbone", CHOICES["backbone"])
@pytest.mark.parametrize("weights", ["imagenet", "imagenet-v1", "none"])
def test_names_for_every_backbone(backbone: str, weights: str) -> None:
    assert check_weights(backbone, weights) == []


@pytest.mark.parametrize("backbone", CHOICES["backbone"])
def test_v2_where_torchvision_has_it(backbone: str) -> None:
    has_v2 = "IMAGENET1K_V2" in get_model_weights(backbone).__members__
    assert (check_weights(backbone, "imagenet-v2") == []) == has_v2


@pytest.mark.parametrize(
    ("backbone", "weights", "parts"),
    [
        ("resnet18", "imagnet", ("'imagnet'", "allowed: imagenet, imagenet-v1")),
        ("resnet18", "", ("''",)),
        ("resnet50", "embedded", ("'embedded'", "'resnet50'", "'resnet18'")),
        ("resnet34", "imagenet-v2", ("'resnet34'", "resnet50, resnet101", "'imagenet-v1'")),
        ("resnet18", "absent.safetensors", ("'absent.safetensors'", "not a file")),
        ("resnet18", "absent.pth", ("'absent.pth'", "correct the path")),
    ],
)
def test_mistakes_are_found_early_and_refused(
    backbone: str, weights: str, parts: tuple[str, ...]
) -> None:
    (fault,) = check_weights(backbone, weights)
    assert all(part in fault for part in parts)
    for refuse in (load_backbone_state, weights_id):
        with pytest.raises(UserError) as caught:
            refuse(backbone, weights)
        assert caught.value.faults == (fault,)


@pytest.mark.timeout(20)
def test_checking_imports_nothing_heavy() -> None:
    program = (
        "import sys; from trainables.models.weights import check_weights; "
        "check_weights('resnet18', 'embedded'); "
        "print([m for m in ('torch', 'torchvision', 'safetensors', 'numpy') if m in sys.modules])"
    )
    output = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert output.stdout.strip() == "[]"


# Embedded


def test_embedded_weights_are_whole_and_float32() -> None:
    state = load_backbone_state("resnet18", "embedded")
    assert list(state) == list(backbone_part(get_model("resnet18", weights=None).state_dict()))
    assert {t.dtype for t in state.values()} == {torch.float32, torch.int64}
    assert state["bn1.running_mean"].abs().max() > 0  # trained statistics
    assert state["bn1.running_var"].min() >= 0  # of a channel that never moves, 0 in float16


def test_embedded_file_is_the_one_described() -> None:
    folder = resources.files("trainables") / "assets"
    content = (folder / EMBEDDED_FILE).read_bytes()
    assert hashlib.sha256(content).hexdigest() == EMBEDDED_SHA256
    assert EMBEDDED_SHA256 in (folder / "README.md").read_text()


def test_a_damaged_embedded_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytearray((resources.files("trainables") / "assets" / EMBEDDED_FILE).read_bytes())
    content[-1] ^= 1  # one bit of one weight
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / EMBEDDED_FILE).write_bytes(content)
    monkeypatch.setattr(weights_module.resources, "files", lambda _: tmp_path)
    with pytest.raises(UserError, match=f"allowed: {EMBEDDED_SHA256}; the file is damaged"):
        load_backbone_state("resnet18", "embedded")


def test_none_is_empty() -> None:
    assert load_backbone_state("resnet101", "none") == {}


# Files


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".safetensors"])
def test_a_file_is_read_without_its_classifier(
    resnet18: State, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"weights{suffix}"
    save_file(resnet18, path) if suffix == ".safetensors" else torch.save(resnet18, path)
    assert_same(load_backbone_state("resnet18", str(path)), backbone_part(resnet18))


@pytest.mark.parametrize("prefix", ["module.", "backbone.", "module.backbone."])
def test_prefixes_are_removed(resnet18: State, saved: Callable[[State], str], prefix: str) -> None:
    state = {prefix + name: tensor for name, tensor in backbone_part(resnet18).items()}
    state[prefix.replace("backbone.", "") + "head.1.weight"] = torch.zeros(10, 512)
    if "backbone." not in prefix:  # without it a head is an unexpected tensor
        del state[prefix + "head.1.weight"]
    assert_same(load_backbone_state("resnet18", saved(state)), backbone_part(resnet18))


def test_half_precision_becomes_float32(resnet18: State, saved: Callable[[State], str]) -> None:
    state = {n: t.half() if t.is_floating_point() else t for n, t in resnet18.items()}
    loaded = load_backbone_state("resnet18", saved(state))
    assert loaded["conv1.weight"].dtype == torch.float32
    assert torch.equal(loaded["conv1.weight"], resnet18["conv1.weight"].half().float())
    assert loaded["bn1.num_batches_tracked"].dtype == torch.int64


def test_old_files_without_batch_counters_are_read(
    resnet18: State, saved: Callable[[State], str]
) -> None:
    old = {n: t for n, t in resnet18.items() if not n.endswith("num_batches_tracked")}
    loaded = load_backbone_state("resnet18", saved(old))
    assert_same(loaded, backbone_part(resnet18))


def test_a_file_of_another_backbone_says_which(
    resnet18: State, saved: Callable[[State], str]
) -> None:
    path = saved(resnet18)
    with pytest.raises(UserError) as caught:
        load_backbone_state("resnet50", path)
    message = str(caught.value)
    assert f"weights {path!r} are a resnet18's, and the backbone is 'resnet50'" in message
    assert "use --backbone resnet18" in message


def test_missing_unexpected_and_mismatched_are_counted(
    resnet18: State, saved: Callable[[State], str]
) -> None:
    state = dict(resnet18)
    del state["conv1.weight"]
    for i in range(5):
        state[f"layer4.2.extra{i}"] = torch.zeros(1)
    state["bn1.bias"] = torch.zeros(65)
    with pytest.raises(UserError) as caught:
        load_backbone_state("resnet18", saved(state))
    message = str(caught.value)
    assert "1 missing (conv1.weight)" in message
    assert "5 unexpected (layer4.2.extra0, layer4.2.extra1, layer4.2.extra2, ...)" in message
    assert "1 mismatched (bn1.bias (65,) instead of (64,))" in message


def test_nan_is_refused(resnet18: State, saved: Callable[[State], str]) -> None:
    state = {**resnet18, "bn1.running_var": torch.full((64,), float("nan"))}
    with pytest.raises(UserError, match=r"NaN or infinity: 1 not finite \(bn1.running_var\)"):
        load_backbone_state("resnet18", saved(state))


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize(
    "content",
    [b"", b"not a state dict at all", b"\x80\x02" + b"\xff" * 64],
    ids=["empty", "text", "bytes"],
)
def test_a_damaged_file_is_one_clear_error(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"damaged{suffix}"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"cannot be read \(.*\); allowed: a state dict"):
        load_backbone_state("resnet18", str(path))


def test_a_truncated_file_is_one_clear_error(
    resnet18: State, saved: Callable[[State], str]
) -> None:
    path = Path(saved(resnet18))
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(UserError, match="cannot be read"):
        load_backbone_state("resnet18", str(path))


def test_no_code_in_a_pth_file_is_run(tmp_path: Path) -> None:
    class Malicious:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "was_run",))

    path = tmp_path / "weights.pth"
    torch.save({"conv1.weight": Malicious()}, path)
    with pytest.raises(UserError, match="may run code when it is read") as caught:
        load_backbone_state("resnet18", str(path))
    assert "weights_only" not in str(caught.value)  # torch's advice is to run the code
    assert not (tmp_path / "was_run").exists()


# torchvision


def test_without_network_the_error_names_file_folder_and_ways_out(cache: Path) -> None:
    with pytest.raises(UserError) as caught:
        load_backbone_state("resnet18", "imagenet")
    message = str(caught.value)
    assert f"{RESNET18_FILE} is not there and could not be downloaded" in message
    assert "no route to host" in message
    for part in (str(cache), ResNet18_Weights.DEFAULT.url, "TORCH_HOME", "'embedded'", "'none'"):
        assert part in message


def test_a_cached_file_needs_no_network(cache: Path, resnet18: State) -> None:
    torch.save(resnet18, cache / RESNET18_FILE)
    for name in ("imagenet", "imagenet-v1"):
        assert_same(load_backbone_state("resnet18", name), backbone_part(resnet18))


def test_a_damaged_cached_file_is_one_clear_error(cache: Path) -> None:
    (cache / RESNET18_FILE).write_bytes(b"half a download")
    with pytest.raises(UserError, match=f"{RESNET18_FILE} is damaged"):
        load_backbone_state("resnet18", "imagenet")


@pytest.mark.parametrize(
    ("backbone", "weights", "version"),
    [
        ("resnet18", "imagenet", "IMAGENET1K_V1"),
        ("resnet50", "imagenet", "IMAGENET1K_V2"),
        ("resnet50", "imagenet-v1", "IMAGENET1K_V1"),
        ("resnet101", "imagenet-v2", "IMAGENET1K_V2"),
    ],
)
def test_names_stand_for_torchvisions_entries(
    backbone: str, weights: str, version: str, cache: Path
) -> None:
    url = get_model_weights(backbone)[version].url
    with pytest.raises(UserError) as caught:
        load_backbone_state(backbone, weights)
    assert url in str(caught.value)


# Identity


def test_identity_is_of_the_content_not_of_the_name(
    resnet18: State, saved: Callable[..., str]
) -> None:
    first = weights_id("resnet18", saved(resnet18, "one.safetensors"))
    again = weights_id("resnet18", saved(resnet18, "two.safetensors"))
    other = {**resnet18, "bn1.bias": resnet18["bn1.bias"] + 1}
    changed = weights_id("resnet18", saved(other, "two.safetensors"))
    assert first == again != changed


def test_identities_of_the_names(cache: Path, resnet18: State) -> None:
    assert weights_id("resnet18", "none") == "none"
    assert weights_id("resnet18", "embedded") == f"embedded sha256:{EMBEDDED_SHA256}"
    torch.save(resnet18, cache / RESNET18_FILE)
    sha256 = hashlib.sha256((cache / RESNET18_FILE).read_bytes()).hexdigest()
    expected = f"torchvision ResNet18_Weights.IMAGENET1K_V1 sha256:{sha256}"
    assert weights_id("resnet18", "imagenet") == expected
    assert weights_id("resnet18", "imagenet-v1") == expected


def test_the_identity_of_an_absent_download_is_refused(cache: Path) -> None:
    with pytest.raises(UserError, match="could not be downloaded"):
        weights_id("resnet18", "imagenet")
