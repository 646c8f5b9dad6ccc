"""P-values against enumeration, textbooks and simulation."""

from itertools import product

import numpy as np
import pytest

from dialed.analysis.paired import EXACT, holm, least_p, seeds_needed, sign_flip_p


def naive(differences):
    sums = [
        abs(sum(s * d for s, d in zip(signs, differences, strict=True)))
        for signs in product([1, -1], repeat=len(differences))
    ]
    return np.mean([total >= abs(sum(differences)) - 1e-9 for total in sums])


@pytest.mark.parametrize("count", [1, 2, 5, 8])
def test_few_pairs_are_enumerated_exactly(count):
    rng = np.random.default_rng(count)
    for _ in range(20):
        differences = rng.normal(0.5, 1.0, size=count)
        assert sign_flip_p(differences) == pytest.approx(naive(differences))


def test_ties_count_as_at_least_as_far():
    assert sign_flip_p([1.0, 1.0, 1.0, -1.0]) == pytest.approx(10 / 16)
    assert sign_flip_p([0.0, 0.0]) == 1.0
    assert sign_flip_p([]) == 1.0


def test_many_pairs_are_sampled_near_the_exact_value():
    from scipy.stats import ttest_1samp

    differences = np.random.default_rng(0).normal(0.4, 1.0, size=EXACT + 20)
    assert sign_flip_p(differences) == pytest.approx(ttest_1samp(differences, 0.0).pvalue, abs=0.01)


def test_the_least_p_value_is_reached_when_all_signs_agree():
    for count in range(1, 11):
        assert sign_flip_p(np.arange(1.0, count + 1)) == pytest.approx(least_p(count))


def test_so_many_seeds_are_needed():
    assert [seeds_needed(tests) for tests in (1, 2, 4, 6, 7)] == [6, 7, 8, 8, 9]


def test_holm_is_the_textbook_s():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == [] and holm([0.9, 0.8]) == [1.0, 1.0]
