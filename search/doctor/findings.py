"""What a check found: a row of the doctor's table."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from trainables.errors import refuse

Level = Literal["ok", "warning", "fault"]
LEVELS: tuple[Level, ...] = ("ok", "warning", "fault")
HEADER = ("check", "node", "", "found")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One check of one node, of the cluster as a whole, or of a file.

    Attributes:
        check: what was looked at.
        node: where; empty for the cluster as a whole.
        found: what was seen.
        level: a fault stops a search or endangers it; a warning may.
        cure: what to do about a fault or a warning.
    """

    check: str
    found: str
    node: str = ""
    level: Level = "ok"
    cure: str = ""

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            refuse([f"level is {self.level!r}; allowed: {', '.join(LEVELS)}"])
        if (self.level == "ok") == bool(self.cure):
            refuse([f"{self.check} is {self.level} with cure {self.cure!r}; allowed: one of both"])


def has_faults(findings: Sequence[Finding]) -> bool:
    """Whether the doctor should end with status 1."""
    return any(finding.level == "fault" for finding in findings)


def table(findings: Sequence[Finding]) -> str:
    """Aligned columns; what to do stands below its row."""
    rows = [HEADER, *((f.check, f.node, f.level, f.found) for f in findings)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    cures = ["", *(finding.cure for finding in findings)]
    lines = []
    for row, cure in zip(rows, cures, strict=True):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        lines.append("  ".join([*cells, row[3]]).rstrip())
        if cure:
            lines.append(f"{'':{sum(widths) + 6}}do: {cure}")
    counts = [sum(f.level == level for f in findings) for level in LEVELS]
    return "\n".join([*lines, "", f"{counts[0]} ok, {counts[1]} warnings, {counts[2]} faults"])


def to_dict(findings: Sequence[Finding]) -> dict[str, Any]:
    """For `--json`."""
    return {"faults": has_faults(findings), "findings": [asdict(f) for f in findings]}
