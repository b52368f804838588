"""The one exception for input that a user can mend."""

from collections.abc import Iterable


class UserError(Exception):
    """Every fault of one input, each a line: the value got, what is allowed, the way out.

    Entry points print the faults on standard error and exit with status 2.
    """

    def __init__(self, *faults: str) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def refuse(faults: Iterable[str]) -> None:
    """Raise one `UserError` that lists all faults; do nothing when there are none."""
    found = tuple(faults)
    if found:
        raise UserError(*found)
