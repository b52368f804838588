"""The optimism meter on numbers made by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.confirm.optimism import expected_optimism, measure, residual_sd, shrunk

SEED = 0


def rng():
    return np.random.default_rng(SEED)


def test_what_was_seen_by_hand():
    fresh = np.array([0.80, 0.82, 0.78])
    matrix = np.array([fresh, [0.79, 0.80, 0.78]])
    meter = measure(0.85, fresh, matrix, np.array([0.85, 0.84, 0.6]), rng=rng())
    assert meter.seen == pytest.approx(0.05)
    assert meter.fresh_sd == pytest.approx(0.02)
    assert meter.error == pytest.approx(0.02 * np.sqrt(4 / 3))
    assert (meter.num_seeds, meter.num_candidates) == (3, 3)
    # Differences 0.01, 0.02, 0.00 scatter by 0.01, and each holds the noise of two.
    assert meter.noise_sd == pytest.approx(0.01 / np.sqrt(2))
    assert 0 < meter.expected < meter.expected_if_equal
    assert meter.expected_if_equal == pytest.approx(0.846 * meter.noise_sd, rel=0.03)


def test_one_configuration_alone_has_no_measured_noise():
    fresh = np.array([0.80, 0.82, 0.78])
    meter = measure(0.85, fresh, fresh[None], np.array([0.85, 0.84]), rng=rng())
    assert (meter.noise_sd, meter.expected, meter.expected_if_equal) == (None, None, None)
    assert meter.seen == pytest.approx(0.05)


# Expected maxima of N standard normal draws: Harter 1961, table 1.
@pytest.mark.parametrize(("count", "maximum"), [(1, 0.0), (2, 0.5642), (10, 1.5388), (64, 2.3757)])
def test_the_best_of_equals_is_the_expected_maximum(count, maximum):
    assert expected_optimism(np.zeros(count), 0.01, rng()) == pytest.approx(
        0.01 * maximum, abs=0.01 * 0.03
    )


def test_a_trial_far_ahead_of_the_others_needs_no_luck():
    truths = np.array([0.8, 0.5, 0.5, 0.5])
    assert expected_optimism(truths, 0.01, rng()) == pytest.approx(0.0, abs=4e-4)


def test_trials_that_could_not_win_do_not_count():
    front = np.array([0.80, 0.80])
    with_losers = np.concatenate([front, np.full(30, 0.2)])
    assert expected_optimism(with_losers, 0.01, rng()) == pytest.approx(0.00564, abs=3e-4)


def test_what_seeds_and_configurations_bring_is_no_noise():
    configurations, seeds = np.array([[0.8], [0.7], [0.9]]), np.array([[0.0, 0.1, -0.2, 0.05]])
    assert residual_sd(configurations + seeds) == pytest.approx(0.0, abs=1e-12)


def test_the_noise_is_recovered_from_a_matrix():
    noise = rng().normal(0, 0.02, (40, 50))
    figures = np.linspace(0.6, 0.9, 40)[:, None] + np.linspace(-0.1, 0.1, 50) + noise
    assert residual_sd(figures) == pytest.approx(0.02, rel=0.05)


def test_shrinking_takes_the_noise_out_of_the_spread():
    figures = np.array([0.70, 0.74, 0.78, 0.82])
    smaller = shrunk(figures, 0.02)
    assert smaller.mean() == pytest.approx(figures.mean())
    assert smaller.var(ddof=1) == pytest.approx(figures.var(ddof=1) - 0.02**2)
    assert np.ptp(shrunk(figures, 1.0)) == 0.0
    assert shrunk(np.array([0.8]), 0.01).tolist() == [0.8]


@given(
    st.lists(st.floats(0.0, 1.0), min_size=1, max_size=20),
    st.floats(0.0, 0.1),
)
@settings(max_examples=50, deadline=None)
def test_choosing_never_does_harm_and_is_worst_among_equals(truths, noise_sd):
    among_these = expected_optimism(np.array(truths), noise_sd, rng(), 2000)
    among_equals = expected_optimism(np.zeros(len(truths)), noise_sd, rng(), 2000)
    slack = 0.15 * noise_sd + 1e-12
    assert -slack <= among_these <= among_equals + slack


def test_the_meter_predicts_a_simulated_search():
    """Known truths and noise: what the meter expects is what choosing really costs, on average."""
    draw = rng()
    seen, expected = [], []
    for _ in range(60):
        truths = draw.normal(0.8, 0.01, 16)
        figures = truths + draw.normal(0, 0.01, 16)
        chosen = figures.argsort()[::-1][:3]
        matrix = truths[chosen, None] + draw.normal(0, 0.03, 5) + draw.normal(0, 0.01, (3, 5))
        meter = measure(figures[chosen[0]], matrix[0], matrix, figures, rng=draw)
        seen.append(figures[chosen[0]] - truths[chosen[0]])
        expected.append(meter.expected)
    assert np.mean(expected) == pytest.approx(np.mean(seen), rel=0.25)
