"""What a stranger may send, and the status of what they may not."""

import asyncio
import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from fastapi import HTTPException
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from starlette.requests import Request

from search.serve import uploads
from search.serve.uploads import pictures_of, pixels_of

BASE_PX = 8
JPEG_START = b"\xff\xd8\xff\xe0"


def encoded(kind: str = "PNG", size: tuple[int, int] = (8, 8), mode: str = "RGB") -> bytes:
    buffer = BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).convert(mode).save(buffer, kind)
    return buffer.getvalue()


def png_that_says(width: int, height: int) -> bytes:
    """A PNG header with next to nothing behind it: from outside, a decompression bomb."""

    def chunk(name: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", data), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def refused(content: bytes, name: str = "") -> tuple[int, str]:
    with pytest.raises(HTTPException) as caught:
        pixels_of(name, content, BASE_PX)
    return caught.value.status_code, caught.value.detail


def received(
    body: bytes, headers: dict[str, str] | None = None, chunk: int = 1000
) -> tuple[list[tuple[str, bytes]], bool]:
    """`pictures_of` a request whose body comes in pieces."""
    pieces = [body[start : start + chunk] for start in range(0, len(body), chunk)]
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive():
        return messages.pop(0)

    raw = [(key.encode(), value.encode()) for key, value in (headers or {}).items()]
    scope = {"type": "http", "method": "POST", "path": "/predict", "headers": raw}
    return asyncio.run(pictures_of(Request(scope, receive)))


def form_of(*contents: bytes, field: str = 'name="a"; filename="{}.png"') -> tuple[bytes, dict]:
    parts = b"".join(
        b"--xyz\r\nContent-Disposition: form-data; "
        + field.format(index).encode()
        + b"\r\n\r\n"
        + content
        + b"\r\n"
        for index, content in enumerate(contents)
    )
    return parts + b"--xyz--\r\n", {"content-type": "multipart/form-data; boundary=xyz"}


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("size", [(8, 8), (30, 11)])
def test_a_picture_becomes_the_datas_own(kind: str, mode: str, size: tuple[int, int]) -> None:
    pixels = pixels_of("", encoded(kind, size, mode), BASE_PX)
    assert (pixels.shape, pixels.dtype) == ((BASE_PX, BASE_PX, 3), np.uint8)
    if (kind, mode, size) == ("PNG", "RGB", (8, 8)):
        assert (pixels == np.asarray(Image.open(BytesIO(encoded())))).all()


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"", 400, "the picture is empty"),
        (b"hello", 415, "neither PNG nor JPEG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", 415, "neither PNG nor JPEG"),
        (encoded("GIF", mode="P"), 415, "neither PNG nor JPEG"),
        (encoded("PNG")[:90], 422, "cannot be decoded"),
        (encoded("JPEG", (64, 64))[:700], 422, "cannot be decoded"),
        (JPEG_START + b"\0" * 50, 415, "neither PNG nor JPEG"),
        (png_that_says(5000, 5000), 413, "this has 5000 x 5000"),
        (png_that_says(60000, 60000), 413, "allowed: 20,000,000 pixels"),
        (png_that_says(100, 100), 422, "cannot be decoded"),
    ],
    ids=["empty", "text", "eps", "gif", "cut png", "cut jpeg", "zeros", "large", "bomb",
         "too little data"],
)  # fmt: skip
def test_a_bad_picture_has_its_status_and_one_line(content: bytes, status: int, words: str) -> None:
    told, detail = refused(content)
    assert told == status
    assert words in detail
    assert "\n" not in detail


def test_a_named_picture_is_named() -> None:
    assert refused(b"hello", "cat.png") == (415, "picture 'cat.png' is neither PNG nor JPEG")


@settings(max_examples=60)
@given(cut=st.integers(0, 200), flipped=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_no_damage_is_anything_but_a_picture_or_a_refusal(cut: int, flipped: int, bit: int) -> None:
    for kind in ("PNG", "JPEG"):
        content = bytearray(encoded(kind))
        content[flipped % len(content)] ^= 1 << bit
        try:
            outcome: object = pixels_of("", bytes(content[: len(content) - cut]), BASE_PX).shape
        except HTTPException as refusal:
            outcome = refusal.status_code
        assert outcome in ((BASE_PX, BASE_PX, 3), 400, 413, 415, 422)


def test_a_body_is_a_picture_whatever_its_type_says() -> None:
    content = encoded()
    assert received(content) == ([("", content)], False)
    curl = {"content-type": "application/x-www-form-urlencoded"}  # curl --data-binary
    assert received(content, curl) == ([("", content)], False)


def test_a_form_holds_several() -> None:
    contents = [encoded(), encoded("JPEG"), b"\r\n\0--xy\r"]
    found, is_form = received(*form_of(*contents), chunk=7)
    assert is_form
    assert found == [(f"{index}.png", content) for index, content in enumerate(contents)]


def test_limits_of_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_BYTES", 2500)
    monkeypatch.setattr(uploads, "MOST_READ", 10_000)
    monkeypatch.setattr(uploads, "MAX_PICTURES", 2)
    assert len(received(b"x" * 2500)[0][0][1]) == 2500
    for body, headers, status in (
        (b"", {}, 400),
        (b"x" * 2501, {}, 413),  # chunked: seen while it is read
        (b"x" * 2501, {"content-length": "2501"}, 413),  # read to its end, so that it is answered
        (b"", {"content-length": "10001"}, 413),  # declared: not read at all
        (*form_of(b"1", b"2", b"3"), 413),
        (*form_of(b"1", field='name="a"'), 400),  # a text, no file
        (b"no form", {"content-type": "multipart/form-data; boundary=xyz"}, 400),
        (b"no form", {"content-type": "multipart/form-data"}, 400),
    ):
        with pytest.raises(HTTPException) as caught:
            received(body, headers)
        assert caught.value.status_code == status, (body, headers)
