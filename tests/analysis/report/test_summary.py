"""All claims of a report, the decided ones first."""

from analysis.report.summary import claims_section, counts_sentence
from analysis.statistics.claims import Assertion


def claim(word, section):
    assertion = Assertion(claim=f"{word} of {section}", rule="r", control="c", section=section)
    return assertion.tested(word, None, num_images=1, sentence="s").to_dict()


def test_claims_of_all_sections_come_in_the_order_of_their_verdicts():
    assertion = Assertion(claim="x", rule="r", control="c", section="a")
    untested = assertion.not_tested("no such class").to_dict()
    report = {
        "a": {"claims": [untested, claim("REFUTED", "a")]},
        "b": {"claims": [claim("CONFIRMED", "b"), claim("INCONCLUSIVE", "b")]},
        "c": {"no": "claims"},
        "d": None,
    }
    section = claims_section(report)
    assert [row["verdict"] for row in section["rows"]] == [
        *("CONFIRMED", "REFUTED", "INCONCLUSIVE", "NOT TESTED"),
    ]
    assert counts_sentence(section["counts"]) == (
        "Of 4 claims: 1 confirmed, 1 refuted, 1 inconclusive, 1 not tested."
    )


def test_classes_about_which_nothing_is_claimed():
    assert counts_sentence(claims_section({})["counts"]).startswith("No claim")
