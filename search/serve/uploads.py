"""From untrusted uploads to pixels: every limit is checked before a picture is decoded."""

from collections.abc import AsyncGenerator
from io import BytesIO

import numpy as np
import numpy.typing as npt
from fastapi import HTTPException
from PIL import Image, UnidentifiedImageError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from trainables.data.decode import decode_one

MAX_BYTES = 10_000_000  # a request
MOST_READ = 4 * MAX_BYTES  # of one that is too long
MAX_PIXELS = 20_000_000  # a picture; decoded, three bytes each
MAX_PICTURES = 32  # a request
FORMATS = ("PNG", "JPEG")  # Pillow decodes more, which is not offered to untrusted uploads


async def pictures_of(request: Request) -> tuple[list[tuple[str, bytes]], bool]:
    """Name and bytes of each picture of a request, and whether it is a form of them.

    Raises:
        HTTPException: 400 (empty, or a broken form) or 413 (too many bytes or pictures).
    """
    body = await _body(request)
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        if not body:
            raise HTTPException(400, "the body is empty; allowed: a PNG or JPEG picture")
        return [("", body)], False

    async def once() -> AsyncGenerator[bytes, None]:
        yield body

    try:
        form = await MultiPartParser(request.headers, once(), max_files=1000).parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise HTTPException(400, f"the form cannot be read ({error})") from error
    files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
    if not files:
        raise HTTPException(400, "the form holds no file; allowed: one picture or more")
    if len(files) > MAX_PICTURES:
        raise HTTPException(413, f"{len(files)} pictures; allowed: {MAX_PICTURES} a request")
    return [(file.filename or "", await file.read()) for file in files], True


def pixels_of(name: str, content: bytes, base_px: int) -> npt.NDArray[np.uint8]:
    """One picture as the data's own: uint8 (base_px, base_px, 3).

    Raises:
        HTTPException: 400 (empty), 413 (too many pixels), 415 (neither PNG nor JPEG) or 422
            (cut short, damaged, or more than 8 bits a channel); the answer names the picture.
    """
    called = f"picture {name!r}" if name else "the picture"
    if not content:
        raise HTTPException(400, f"{called} is empty; allowed: a PNG or JPEG picture")
    too_large = f"{called} is too large; allowed: {MAX_PIXELS:,} pixels"
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as header:
            width, height = header.size
    except Image.DecompressionBombError as error:  # Pillow's own limit, far above ours
        raise HTTPException(413, too_large) from error
    except UnidentifiedImageError as error:
        raise HTTPException(415, f"{called} is neither PNG nor JPEG") from error
    except Exception as error:  # damaged headers make Pillow's plugins raise nearly anything
        raise HTTPException(422, f"{called} cannot be decoded ({error})") from error
    if width * height > MAX_PIXELS:
        raise HTTPException(413, f"{too_large}, this has {width} x {height}")
    decoded = decode_one(content, base_px)
    if isinstance(decoded, str):
        raise HTTPException(422, f"{called} cannot be decoded ({decoded})")
    return decoded.pixels


async def _body(request: Request) -> bytes:
    """The whole body; 413 where it is longer than allowed.

    One that is a little too long is read to its end all the same: a client that is still sending
    would find its connection cut instead of the answer.
    """
    declared = request.headers.get("content-length", "")
    size = int(declared) if declared.isdecimal() else 0
    chunks: list[bytes] = []
    if size <= MOST_READ:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size <= MAX_BYTES:
                chunks.append(chunk)
            elif size > MOST_READ:
                break
    if size > MAX_BYTES:
        raise HTTPException(413, f"the body is too long; allowed: {MAX_BYTES:,} bytes")
    return b"".join(chunks)
