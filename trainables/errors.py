"""The exceptions for what a user can mend, among it packages that only some commands need."""

from collections.abc import Iterable
from importlib.util import find_spec

# Each extra of pyproject.toml and the modules that show that it is installed.
EXTRAS = {
    "labels": ("cleanlab",),
    "onnx": ("onnx", "onnxruntime", "onnxscript"),
    "s3": ("s3fs",),
    "serve": ("fastapi", "uvicorn", "python_multipart"),
}


class UserError(Exception):
    """Every fault of one input, each a line: the value got, what is allowed, the way out.

    Entry points print the faults on standard error and exit with `status`.
    """

    status = 2

    def __init__(self, *faults: str) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class RunError(UserError):
    """The input was right, and the run came to an end all the same: a full disk, a lost worker."""

    status = 1


def refuse(faults: Iterable[str]) -> None:
    """Raise one `UserError` that lists all faults; do nothing when there are none."""
    found = tuple(faults)
    if found:
        raise UserError(*found)


def missing_extra(extra: str, *, wanted_by: str) -> list[str]:
    """One line where a module of an extra is not installed; nothing is imported."""
    lacking = [module for module in EXTRAS[extra] if find_spec(module) is None]
    if not lacking:
        return []
    return [
        f"{wanted_by} needs {', '.join(lacking)}, not installed here; in the checkout, "
        f"`pip install -e '.[{extra}]'` installs all it needs"
    ]
