"""The exceptions for what a user can mend: input, and what befell a run on its way."""

from collections.abc import Iterable


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
