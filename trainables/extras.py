"""Packages that only some commands need: which, and what to type where they are missing."""

from importlib.util import find_spec

# Each extra of pyproject.toml and the modules that show that it is installed.
EXTRAS = {
    "labels": ("cleanlab",),
    "onnx": ("onnx", "onnxruntime", "onnxscript"),
    "s3": ("s3fs",),
    "serve": ("fastapi", "uvicorn", "python_multipart"),
}


def missing_extra(extra: str, *, wanted_by: str) -> list[str]:
    """One line where a module of an extra is not installed; nothing is imported."""
    lacking = [module for module in EXTRAS[extra] if find_spec(module) is None]
    if not lacking:
        return []
    return [
        f"{wanted_by} needs {', '.join(lacking)}, not installed here; in the checkout, "
        f"`pip install -e '.[{extra}]'` installs all it needs"
    ]
