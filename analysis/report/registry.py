"""All sections of the report: contents, page, navigation and the claims follow from these rows.

The rows stand in the order of report.json, in which they are computed and their claims are listed;
`place` is that of the page.
"""

from collections.abc import Sequence
from typing import Any

from analysis.page.figures import gate_figures
from analysis.report.answer_sections import ANSWER_SECTIONS
from analysis.report.record_sections import RECORD_SECTIONS
from analysis.report.section import Parts, Section, checked
from analysis.report.sources import Answers, Records
from analysis.report.verdict import untested_verdict, verdict_section


def untested_section(records: Records, parts: Parts) -> dict[str, Any] | None:
    """Why nothing was asked, the sections that stay empty, and their claims: NOT TESTED."""
    return None if records.untested is None else not_tested(records, records.untested, SECTIONS)


def not_tested(records: Records, reason: str, sections: Sequence[Section]) -> dict[str, Any]:
    """The contents of "untested" for these sections; the reason is a clause."""
    empty = [section for section in sections if section.needs == "answers"]
    in_order = sorted(empty, key=lambda section: section.place)
    return {
        "reason": reason,
        "sections": [{"id": row.anchor, "heading": row.heading} for row in in_order],
        "claims": [claim for row in empty for claim in row.untested_claims(records, reason)],
    }


def _verdict(records: Records, parts: Parts) -> dict[str, Any]:
    if isinstance(records, Answers):
        return verdict_section(records.confusion, records.samples)
    return untested_verdict(str(records.untested))


SECTIONS = checked(
    (
        Section(
            name="untested",
            question="What could not be asked of this checkpoint?",
            compute=untested_section,
            place=30,
            navigation="Not tested",
            is_optional=True,
        ),
        Section(
            name="verdict",
            question="Does the checkpoint pass the gate?",
            compute=_verdict,
            place=10,
            figures=gate_figures,
        ),
        *ANSWER_SECTIONS,
        *RECORD_SECTIONS,
    )
)
