"""What one section of the report is: one row of `analysis.report.registry`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from markupsafe import Markup

from analysis.report.sources import Records
from analysis.statistics.claims import Assertion

Parts = Mapping[str, Any]  # the sections of a report, by name


@dataclass(frozen=True, kw_only=True)
class Section:
    """One section, from its question to its place on the page.

    Attributes:
        name: its key in report.json.
        question: what it answers.
        compute: from `Records` (`Answers` where it needs them) and the sections of the rows above
            to its contents; None where it shows other sections' contents.
        needs: "answers" of the checkpoint, without which it is listed as not tested, or "records".
        place: on the page, from the top; no two sections have the same.
        template: file in `analysis/templates/sections`; the name where it is left out.
        heading: of a section that needs answers, for the list of what was not tested.
        navigation: its word in the page's navigation; "" leaves it out.
        figures: from the contents of the sections `drawn_from` to its figures by name; it draws
            nothing where one of these is missing.
        drawn_from: names of sections; the own one where it is left out.
        claims: what it claims where there are no answers: assertions about any classes, or a
            function of the records and the reason.
        is_optional: it is left out of the page where it has no contents.
    """

    name: str
    question: str
    compute: Callable[[Any, Parts], Any] | None
    needs: Literal["records", "answers"] = "records"
    place: int
    template: str = ""
    heading: str = ""
    navigation: str = ""
    figures: Callable[..., dict[str, Markup]] | None = None
    drawn_from: tuple[str, ...] = ()
    claims: tuple[Assertion, ...] | Callable[[Records, str], list[dict[str, Any]]] = ()
    is_optional: bool = False

    @property
    def file(self) -> str:
        """The template's path in `analysis/templates`."""
        return f"sections/{self.template or self.name}.html.j2"

    @property
    def anchor(self) -> str:
        """The id of the section's element."""
        return (self.template or self.name).replace("_", "-")

    def is_shown(self, report: Parts) -> bool:
        """Whether the page of a report has this section."""
        if self.needs == "answers" and report["untested"]:
            return False
        return not self.is_optional or bool(report[self.name])

    def draw(self, report: Parts) -> dict[str, Markup]:
        """The figures by name, of a section that is shown."""
        contents = [report.get(name) for name in self.drawn_from or (self.name,)]
        return self.figures(*contents) if self.figures and all(contents) else {}

    def untested_claims(self, records: Records, reason: str) -> list[dict[str, Any]]:
        """Rows of the claims table, all NOT TESTED for this reason (a clause)."""
        if callable(self.claims):
            return self.claims(records, reason)
        return [claim.not_tested(reason).to_dict() for claim in self.claims]


def checked(sections: Iterable[Section]) -> tuple[Section, ...]:
    """The rows as they are; ValueError where two have one name or place, or one draws unknowns."""
    rows = tuple(sections)
    names = [row.name for row in rows]
    for what, values in (("name", names), ("place", [row.place for row in rows])):
        if len(set(values)) < len(rows):
            raise ValueError(f"two sections have one {what}: {sorted(values)}")
    for row in rows:
        if unknown := set(row.drawn_from) - set(names):
            raise ValueError(f"{row.name} is drawn from {sorted(unknown)}; allowed: {names}")
        if row.needs == "answers" and not row.heading:
            raise ValueError(f"{row.name} needs answers and has no heading to be listed under")
    return rows


def on_page(sections: Sequence[Section], report: Parts) -> list[Section]:
    """Those that the page of a report has, from the top."""
    shown = (section for section in sections if section.is_shown(report))
    return sorted(shown, key=lambda section: section.place)
