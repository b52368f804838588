"""Every claim of the report in one table."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, get_args

from analysis.statistics.claims import Word

ORDER: tuple[str, ...] = get_args(Word)  # of the rows


def claims_section(report: Mapping[str, Any]) -> dict[str, Any]:
    """The claims of all sections of `report`, the decided ones first.

    Returns:
        "rows": claims in the order of their verdicts, then of the sections; "counts" by verdict;
        "sentence": the counts in words.
        and "families": how many tests each section corrected for together.
    """
    sections = {name: part for name, part in report.items() if isinstance(part, dict)}
    rows = [claim for part in sections.values() for claim in part.get("claims", [])]
    found = Counter(row["verdict"] for row in rows)
    counts = {word: found[word] for word in ORDER}
    return {
        "rows": sorted(rows, key=lambda row: ORDER.index(row["verdict"])),
        "counts": counts,
        "sentence": counts_sentence(counts),
    }


def counts_sentence(counts: Mapping[str, int]) -> str:
    """For the banner: "Of 12 claims 3 are confirmed, 2 refuted, 5 inconclusive, 2 not tested."."""
    total = sum(counts.values())
    if not total:
        return "No claim could be stated for these classes."
    words = ", ".join(f"{counts[word]} {word.lower()}" for word in ORDER)
    return f"Of {total} claims: {words}."
