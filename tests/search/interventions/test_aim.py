"""Which pair an intervention aims at, and which one its placebo."""

import json

import pytest

from search.interventions.design import choose_pairs, validation_rates
from tests.helpers.around import NAMES, make_winner
from trainables.errors import UserError


def report(run, **content):
    (run.root / "report").mkdir()
    (run.root / "report" / "report.json").write_text(json.dumps(content))


@pytest.fixture
def run(tmp_path):
    return make_winner(tmp_path / "mine")


def test_a_pairs_rate_is_of_the_winning_epoch_and_the_mean_of_both_directions(run):
    rates = validation_rates(run, NAMES)
    assert len(rates) == 6
    assert rates["cat", "dog"] == pytest.approx((4 / 10 + 3 / 10) / 2)
    assert rates["cat", "deer"] == pytest.approx(0.1)
    assert rates["deer", "ship"] == 0


def test_without_a_word_it_aims_at_the_most_confused_pair_of_validation(run):
    aim = choose_pairs(run, "", seed=0)
    assert aim.pair == ("cat", "dog")
    assert aim.source == "validation: 35.0% of the two classes are taken for each other"
    assert aim.placebo == ("deer", "ship")  # the only one that shares no class with cat and dog


def test_a_pair_of_ones_own_is_put_in_order(run):
    aim = choose_pairs(run, "ship, dog", seed=0)
    assert (aim.pair, aim.source) == (("dog", "ship"), "--aim")
    # Cat and deer, the one pair without a class of it, are above the median.
    assert aim.placebo in (("cat", "ship"), ("deer", "dog"), ("deer", "ship"))


def test_a_report_knows_better_and_its_flags_keep_the_placebo_away(run):
    rows = [
        {"first": "cat", "second": "deer", "flagged": False},
        {"first": "ship", "second": "deer", "flagged": True, "intervention": "cutmix"},
        {"first": "cat", "second": "dog", "flagged": True},
    ]
    report(run, root_causes=rows)
    aim = choose_pairs(run, "", seed=0)
    assert aim.pair == ("deer", "ship")
    assert aim.source == "report.json of the run, root_causes"
    # cat and dog share no class with it but are flagged; what is left shares one.
    assert {choose_pairs(run, "", seed=seed).placebo for seed in range(30)} == {
        *(("cat", "deer"), ("cat", "ship"), ("deer", "dog"), ("dog", "ship"))
    }


@pytest.mark.parametrize("section", [[{"first": "dog", "second": "ship"}],
                                     {"pairs": [{"first": "dog", "second": "ship"}]}])  # fmt: skip
def test_an_older_report_tells_by_its_pairs(run, section):
    report(run, pairs=section)
    assert choose_pairs(run, "", seed=0).pair == ("dog", "ship")


def test_a_report_that_flags_nothing_leaves_it_to_validation(run):
    report(run, root_causes=[], pairs=[{"first": "dog", "second": "ship"}])
    assert choose_pairs(run, "", seed=0).source.startswith("validation")


@pytest.mark.parametrize("content", [{"root_causes": [{"first": "cat"}]}, {"root_causes": "no"},
                                     {"pairs": [{"first": "cat", "second": "lynx"}]}])  # fmt: skip
def test_a_report_that_cannot_be_read_is_no_silent_validation(run, content):
    report(run, **content)
    with pytest.raises(UserError, match=r"report\.json cannot be read .*; allowed: the file that"):
        choose_pairs(run, "", seed=0)


def test_the_placebo_is_a_function_of_the_seed(tmp_path):
    names = tuple("abcdefgh")
    confusion = [[10 if i == j else 0 for j in range(8)] for i in range(8)]
    confusion[0][1] = 5
    run = make_winner(tmp_path / "mine", names=names, confusion=confusion)
    drawn = [choose_pairs(run, "", seed=seed).placebo for seed in range(20)]
    assert drawn == [choose_pairs(run, "", seed=seed).placebo for seed in range(20)]
    assert len(set(drawn)) > 5
    assert all(not set(placebo) & {"a", "b"} for placebo in drawn)


def test_two_classes_leave_no_pair_for_the_placebo(tmp_path):
    run = make_winner(tmp_path / "mine", names=("cat", "dog"), confusion=[[5, 5], [4, 6]])
    with pytest.raises(UserError, match=r"every pair of cat, dog but cat\+dog is suspected"):
        choose_pairs(run, "", seed=0)


def test_a_faultless_winner_wants_a_pair_of_ones_own(tmp_path):
    perfect = [[10 if i == j else 0 for j in range(4)] for i in range(4)]
    run = make_winner(tmp_path / "mine", confusion=perfect)
    with pytest.raises(UserError, match=r"confuses no two classes .*--aim cat,dog"):
        choose_pairs(run, "", seed=0)
    assert choose_pairs(run, "cat,dog", seed=0).placebo == ("deer", "ship")


def test_an_unknown_class_is_refused_by_name(run):
    with pytest.raises(UserError, match="--aim is 'cat,lynx': class 'lynx' is unknown; allowed"):
        choose_pairs(run, "cat,lynx", seed=0)
