"""The whole report as one JSON-able dictionary: computed here, only rendered elsewhere."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from analysis.report.examine import Examined
from analysis.report.provenance import model_section
from analysis.report.registry import SECTIONS
from analysis.report.section import Section
from analysis.report.sources import Answers, Making, Records
from analysis.run.reader import Run
from analysis.statistics.intervals import CONFIDENCE
from trainables.storage.files import without_nan

FORMAT_VERSION = 2


def build_report(
    run: Run, examined: Examined, pairs: dict[str, Any], making: Making
) -> dict[str, Any]:
    """Every section of the report, without NaN.

    Args:
        run: the run folder; its journal already holds this opening of the test.
        examined: what the checkpoint answered.
        pairs: `pairs_section` of the same test.
        making: how.
    """
    return contents(Answers(run=run, making=making, examined=examined, pairs=pairs))


def build_untested_report(run: Run, reason: str, making: Making) -> dict[str, Any]:
    """The report on a run whose checkpoint answers nothing: what its own records say.

    Args:
        run: the run folder.
        reason: why, in a clause.
        making: how.
    """
    return contents(Records(run=run, making=making, untested=reason))


def contents(records: Records, sections: Sequence[Section] = SECTIONS) -> dict[str, Any]:
    """The head of the report, and each section from the records and the sections before it."""
    run, making = records.run, records.making
    report: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "title": str(run.experiment["name"]),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": making.command,
        "method": {"confidence": CONFIDENCE, **making.draws},
        "model": model_section(run),
    }
    for section in sections:
        has_its_source = section.needs == "records" or isinstance(records, Answers)
        if section.compute and has_its_source:
            report[section.name] = section.compute(records, report)
    return without_nan(report)
