"""The jump at the unfreeze point against its placebos."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.trials.unfreeze import jumps_of_trials, mcnemar_p, placebo_test, unfreeze_section


def predictions(accuracies, num_images=2000, seed=0):
    """Labels 0, and predictions (E, N): a picture that is hard stays wrong until its epoch."""
    hardness = np.random.default_rng(seed).permutation(num_images) / num_images
    labels = np.zeros(num_images, int)
    right = hardness < np.asarray(accuracies)[:, None]
    return labels, np.where(right, 0, 1).astype(np.int16)


def table(accuracies, head=3, trial=0):
    phases = [1] * head + [2] * (len(accuracies) - head)
    epochs = range(1, len(phases) + 1)
    return pd.DataFrame(
        {"trial": trial, "epoch": epochs, "phase": phases, "val_accuracy": accuracies}
    )


def section(accuracies, head=3, **settings):
    labels, predicted = predictions(accuracies, **settings)
    return unfreeze_section(
        labels, predicted, table(accuracies, head), 0, num_resamples=500, seed=0
    )


def test_a_jump_beyond_its_placebos_is_confirmed():
    found = section([0.5, 0.51, 0.52, 0.62, 0.63])
    assert [step["epochs"] for step in found["steps"]] == [[3, 4], [2, 3], [4, 5]]
    assert found["steps"][0]["change"]["value"] == pytest.approx(0.1)
    assert found["excess"]["one epoch earlier"]["value"] == pytest.approx(0.09)
    assert found["claims"][0]["verdict"] == "CONFIRMED"


@pytest.mark.parametrize("accuracies", [[0.5, 0.56, 0.62, 0.68, 0.74], [0.5, 0.51, 0.52, 0.62]])
def test_a_jump_like_its_placebos_or_without_one_only_coincides(accuracies):
    claim = section(accuracies)["claims"][0]
    assert claim["verdict"] == "INCONCLUSIVE"
    assert (
        "coincides with unfreezing; the learning-rate change is not separated"
        in (claim["sentence"])
    )


def test_no_jump_is_refuted():
    assert section([0.5, 0.51, 0.52, 0.522, 0.53])["claims"][0]["verdict"] == "REFUTED"


def test_mcnemar_is_the_binomial_of_the_changed_pictures():
    before = np.array([True] * 12 + [False] * 30)
    after = np.array([True] * 9 + [False] * 3 + [True] * 11 + [False] * 19)
    assert mcnemar_p(before, after) == pytest.approx(stats.binomtest(3, 14).pvalue)
    assert mcnemar_p(before, before) == 1


def test_false_alarms_are_rare():
    """300 runs that change as much in each epoch: the share whose jump exceeds both placebos."""
    rng = np.random.default_rng(1)
    alarms = 0
    for _ in range(300):
        right = rng.random((5, 400)) < 0.7
        _, excess = placebo_test(right, 3, num_resamples=200, rng=rng)
        alarms += all(e["lower"] > 0 for e in excess.values())
    assert alarms <= stats.binom.ppf(0.975, 300, 0.05)


def test_the_trials_jumps_beyond_their_trends():
    runs = [table([0.4, 0.42, 0.44, 0.5 + 0.01 * k], trial=k) for k in range(7)]
    found = jumps_of_trials(pd.concat([*runs, table([0.5, 0.6], head=1, trial=9)]))
    assert found["excess"] == pytest.approx([0.04 + 0.01 * k for k in range(7)])
    assert found["p"] == pytest.approx(2 / 2**7)  # all of one sign
    assert jumps_of_trials(runs[0])["p"] is None
    assert jumps_of_trials(table([0.5], head=1)) == {
        "excess": [], "num_trials": 0, "median": None, "p": None,
    }  # fmt: skip


def test_what_cannot_be_tested_says_why():
    labels, predicted = predictions([0.5, 0.6])
    for kept, head, reason in (
        (None, 1, "no validation predictions of the winner"),
        (predicted, 2, "does not lie behind"),
        (predicted, 0, "does not lie behind"),
    ):
        found = unfreeze_section(labels, kept, table([0.5, 0.6], head), 0, num_resamples=10, seed=0)
        assert reason in found["untested"]
        assert found["claims"][0]["verdict"] == "NOT TESTED"


@pytest.mark.parametrize("accuracy", [0.0, 1.0])
def test_constant_accuracy_is_no_jump(accuracy):
    found = section([accuracy] * 5)
    assert found["claims"][0]["verdict"] == "REFUTED"
    assert found["steps"][0]["p"] == 1
