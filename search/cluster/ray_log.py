"""Ray's own words go to a file of the run folder, not to the terminal.

They come two ways. Ray's and Tune's loggers write to standard error: a trial's traceback, what is
tried again. What a raylet reports (too many processes, little memory) reaches the driver over the
cluster's error channel, and a thread of Ray's prints it to standard output; no setting of Ray's
turns that off. What workers print stays in Ray's session folder (`log_to_driver=False`).
"""

import io
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import TextIO

FILE_NAME = "ray.log"
THREADS = "ray_"  # how the names of the threads begin that print what comes from the cluster
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


@contextmanager
def ray_output_in(folder: Path) -> Iterator[None]:
    """Within it, warnings and faults of Ray's are added to `folder`'s `ray.log`."""
    logger, handler = logging.getLogger("ray"), QuietFile(folder / FILE_NAME, delay=True)
    handler.setFormatter(logging.Formatter(FORMAT))
    before = logger.handlers[:], logger.level
    logger.handlers, logger.level = [handler], logging.WARNING
    try:
        with redirect_stdout(WithoutRay(sys.stdout)):
            yield
    finally:
        logger.handlers, logger.level = before
        with suppress(OSError):  # the disk is full: the recorder's to tell of
            handler.close()


class QuietFile(logging.FileHandler):
    """Does not tell of a disk that is full."""

    def handleError(self, record: logging.LogRecord) -> None:
        pass


class WithoutRay(io.TextIOBase):
    """A stream that logs what Ray's threads write and hands on all the rest."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        if not threading.current_thread().name.startswith(THREADS):
            return self._stream.write(text)
        if line := text.strip():
            logging.getLogger("ray.cluster").warning(line)
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()
