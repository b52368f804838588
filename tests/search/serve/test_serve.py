"""The server as a user starts it: real HTTP to a real Ray Serve on this machine."""

import json
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

from search.export.exporting import save_all
from search.serve.__main__ import main
from tests.helpers.exportable import CLASSES, make_exportable
from trainables import errors
from trainables.errors import UserError
from trainables.models.checkpoints import load_trained
from trainables.models.exported import load_exported
from trainables.predict import softmax

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = make_exportable(tmp_path_factory.mktemp("served"))
    trained = load_trained(run.root / run.read_best()["checkpoint"])
    run.export.mkdir()
    save_all(trained, run.export, ["safetensors"], provenance={"epoch": trained.epoch})
    return run.export


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def ask(url: str, body: bytes | None = None, kind: str = "image/png") -> tuple[int, dict[str, Any]]:
    """Status and JSON of an answer; a GET without a body."""
    request = urllib.request.Request(url, data=body, headers={"Content-Type": kind})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.load(refusal)


@pytest.fixture(scope="module")
def server(export: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of a running server, and its process."""
    port = free_port()
    command = [sys.executable, "-m", "search.serve", str(export), "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith(f"serving      http://127.0.0.1:{port}/predict"), line
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def pictures(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return list(rng.integers(0, 256, (count, 32, 32, 3)).astype(np.uint8))


def png(pixels: np.ndarray) -> bytes:
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def form_of(count: int) -> tuple[bytes, str]:
    """A multipart body of pictures, and its content type."""
    parts = [
        b'--xyz\r\nContent-Disposition: form-data; name="p"; filename="%d.png"\r\n\r\n%b\r\n'
        % (number, png(picture))
        for number, picture in enumerate(pictures(count))
    ]
    return b"".join(parts) + b"--xyz--\r\n", "multipart/form-data; boundary=xyz"


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(300)
class TestServer:
    """In this order: the last one ends the server."""

    def test_a_picture_is_answered_as_the_model_does(self, server, export) -> None:
        (picture,) = pictures(1)
        status, told = ask(f"{server[0]}/predict", png(picture))
        assert (status, set(told)) == (200, {"class", "probability", "probabilities"})
        (expected,) = softmax(load_exported(export).predict_logits(picture[None]))
        assert [told["probabilities"][name] for name in CLASSES] == pytest.approx(
            expected.tolist(), abs=1e-5
        )
        assert told["class"] == CLASSES[expected.argmax()]
        assert told["probability"] == max(told["probabilities"].values())

    def test_a_form_of_several(self, server) -> None:
        status, told = ask(f"{server[0]}/predict", *form_of(2))
        assert status == 200
        assert [one["name"] for one in told["pictures"]] == ["0.png", "1.png"]
        alone = [ask(f"{server[0]}/predict", content)[1] for content in map(png, pictures(2))]
        assert [one["class"] for one in told["pictures"]] == [one["class"] for one in alone]

    @pytest.mark.parametrize(
        ("body", "status", "words"),
        [
            (b"", 400, "empty"),
            (b"hello", 415, "neither PNG nor JPEG"),
            (png(np.zeros((32, 32, 3), np.uint8))[:60], 422, "cannot be decoded"),
            (png(np.zeros((5000, 5000, 3), np.uint8)), 413, "5000 x 5000"),
            (b"\0" * 10_000_001, 413, "too long; allowed: 10,000,000 bytes"),
        ],
        ids=["empty", "text", "cut", "pixels", "bytes"],
    )
    def test_a_bad_picture_is_a_clear_refusal(self, server, body, status, words) -> None:
        told, answer = ask(f"{server[0]}/predict", body)
        assert told == status
        assert words in answer["detail"]
        assert ask(f"{server[0]}/healthz")[0] == 200

    def test_what_is_not_there(self, server) -> None:
        assert ask(f"{server[0]}/elsewhere")[0] == 404
        assert ask(f"{server[0]}/predict")[0] == 405

    def test_requests_of_one_moment_share_a_forward_pass(self, server) -> None:
        before = ask(f"{server[0]}/healthz")[1]
        bodies = [png(picture) for picture in pictures(96)]
        with ThreadPoolExecutor(32) as threads:
            told = list(threads.map(lambda body: ask(f"{server[0]}/predict", body), bodies))
        assert [status for status, _ in told] == [200] * 96
        after = ask(f"{server[0]}/healthz")[1]
        assert after["status"] == "ok"
        assert after["pictures"] - before["pictures"] == 96
        assert after["batches"] - before["batches"] < 96
        assert 1 < after["largest_batch"] <= 64
        print("96 pictures by 32 threads:", before, after)

    def test_a_form_is_one_forward_pass(self, server) -> None:
        before = ask(f"{server[0]}/healthz")[1]
        assert ask(f"{server[0]}/predict", *form_of(32))[0] == 200
        after = ask(f"{server[0]}/healthz")[1]
        assert after["pictures"] - before["pictures"] == 32
        assert after["batches"] - before["batches"] <= 2
        assert ask(f"{server[0]}/predict", *form_of(33))[0] == 413

    def test_ctrl_c_ends_the_server_and_its_ray(self, server) -> None:
        url, process = server
        started = psutil.Process(process.pid).children(recursive=True)
        assert any("raylet" in child.name() for child in started)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        _, alive = psutil.wait_procs(started, timeout=20)
        assert [child for child in alive if child.status() != psutil.STATUS_ZOMBIE] == []
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(f"{url}/healthz", timeout=5)


def test_a_busy_port_is_one_line(export: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(UserError, match=f"--port {port} cannot be listened on") as caught:
            main([str(export), "--port", str(port)])
    assert len(caught.value.faults) == 1


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--replicas", "0"], "--replicas is 0; allowed: 1 to"),
        (["--replicas", "999"], "--replicas is 999; allowed: 1 to"),
        (["--gpus-per-replica", "1.5"], "--gpus-per-replica is 1.5; allowed: 0, a share"),
        (["--gpus-per-replica", "-1"], "--gpus-per-replica is -1; allowed: 0, a share"),
        (["--gpus-per-replica", "nan"], "--gpus-per-replica is nan; allowed: 0, a share"),
        (["--port", "0"], "--port is 0; allowed: 1 to 65535"),
        (["--host", "no.such.host.invalid"], "cannot be listened on"),
    ],
)
def test_a_wrong_flag_is_one_line(export: Path, flags: list[str], words: str) -> None:
    with pytest.raises(UserError) as caught:
        main([str(export), "--port", str(free_port()), *flags])
    (fault,) = caught.value.faults
    assert words in fault


def test_a_folder_that_is_no_export_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no exported model"):
        main([str(tmp_path), "--port", str(free_port())])


def test_a_missing_extra_is_one_line_with_the_command(
    export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(errors.EXTRAS, "serve", ("not_a_package",))
    with pytest.raises(UserError, match=r"pip install -e '\.\[serve\]'"):
        main([str(export)])
