"""A section is one row: what is added there is in the contents, the page and the claims."""

from dataclasses import replace
from pathlib import Path

import pytest
from jinja2 import ChoiceLoader, FileSystemLoader, PackageLoader
from markupsafe import Markup

from analysis.page import environment
from analysis.report.contents import contents
from analysis.report.page import render_html
from analysis.report.registry import SECTIONS, not_tested
from analysis.report.section import Section, checked
from analysis.report.sources import Records
from analysis.run.reader import read_run
from analysis.statistics.claims import Assertion
from tests.helpers.examined import making_of

CLAIM = Assertion(claim="Tea is hot", rule="r", control="c", section="tea")
TEMPLATE = '<section id="tea"><h2>Tea</h2>{{ tea.cups }} cups {{ figures.steam }}</section>'
TEA = Section(
    name="tea",
    question="Is there tea?",
    compute=lambda records, parts: {
        "cups": 7,
        "claims": [CLAIM.tested("CONFIRMED", None, num_images=7, sentence="s").to_dict()],
    },
    place=205,
    navigation="Tea",
    figures=lambda tea: {"steam": Markup(f"<b>steam of {tea['cups']}</b>")},
    heading="Tea",
    claims=(CLAIM,),
)


def with_tea(section: Section) -> tuple[Section, ...]:
    rows = [row.name for row in SECTIONS]
    before = rows.index("claims")
    return checked((*SECTIONS[:before], section, *SECTIONS[before:]))


@pytest.fixture
def records(run_folder: Path) -> Records:
    return Records(run=read_run(run_folder), making=making_of(), untested="no reason")


def test_a_row_is_in_contents_page_navigation_figures_and_claims(
    records: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sections").mkdir()
    (tmp_path / "sections" / "tea.html.j2").write_text(TEMPLATE)
    package = PackageLoader("analysis")
    loaders = ChoiceLoader([FileSystemLoader(tmp_path), package])
    monkeypatch.setattr(environment, "PackageLoader", lambda name: loaders)
    sections = with_tea(TEA)
    report = contents(records, sections)
    assert report["tea"]["cups"] == 7
    assert "Tea is hot" in {row["claim"] for row in report["claims"]["rows"]}
    page = render_html(report, {}, sections)
    assert '<a href="#tea">Tea</a>' in page
    assert "7 cups <b>steam of 7</b>" in page
    assert page.index('id="untested"') < page.index('id="tea"') < page.index('id="training"')


def test_a_row_that_needs_answers_is_listed_with_its_claims_where_there_are_none(
    records: Records,
) -> None:
    section = replace(TEA, needs="answers")
    sections = with_tea(section)
    assert "tea" not in contents(records, sections)
    untested = not_tested(records, "no reason", sections)
    assert {"id": "tea", "heading": "Tea"} in untested["sections"]
    (claim,) = [row for row in untested["claims"] if row["claim"] == "Tea is hot"]
    assert claim["verdict"] == "NOT TESTED"


@pytest.mark.parametrize(
    ("section", "words"),
    [
        (replace(TEA, name="pairs"), "one name"),
        (replace(TEA, place=10), "one place"),
        (replace(TEA, drawn_from=("coffee",)), "coffee"),
        (replace(TEA, needs="answers", heading=""), "no heading"),
    ],
)
def test_a_wrong_row_is_an_error(section: Section, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        with_tea(section)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
def test_every_row_has_its_template(section: Section) -> None:
    templates = Path(environment.__file__).parents[1] / "templates"
    text = (templates / section.file).read_text()
    assert f'<section id="{section.anchor}"' in text
    assert section.question.endswith("?")


def test_no_template_is_without_a_row() -> None:
    folder = Path(environment.__file__).parents[1] / "templates" / "sections"
    assert {path.name for path in folder.glob("*.j2")} == {
        section.file.removeprefix("sections/") for section in SECTIONS
    }
