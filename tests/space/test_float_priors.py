"""A float with a prior: half of its places lie where good values are expected, and none is out of reach."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialed import HyperParameters
from dialed.errors import SpaceError
from dialed.space import Float, domain_from_json

RATE = Float(1e-5, 1.0, sampling="log", prior=(1e-3, 1e-2))


def test_half_of_the_places_lie_in_the_prior():
    assert RATE.to_unit(1e-3) == pytest.approx(0.25)
    assert RATE.to_unit(1e-2) == pytest.approx(0.75)
    assert RATE.from_unit(0.5) == pytest.approx(10**-2.5)
    assert (RATE.from_unit(0.0), RATE.from_unit(1.0)) == (1e-5, 1.0)


@given(st.floats(0, 1), st.floats(0, 1))
def test_places_rise_with_values_and_lead_back(one, other):
    low, high = sorted([one, other])
    assert RATE.from_unit(low) <= RATE.from_unit(high)
    assert RATE.to_unit(RATE.from_unit(one)) == pytest.approx(one, abs=1e-9)


@pytest.mark.parametrize(("prior", "unit"), [((1e-5, 1e-2), 0.75), ((1e-2, 1.0), 0.25)])
def test_a_prior_that_reaches_an_end_takes_its_places(prior, unit):
    domain = Float(1e-5, 1.0, sampling="log", prior=prior)
    assert domain.to_unit(1e-2) == pytest.approx(unit)
    assert (domain.to_unit(1e-5), domain.to_unit(1.0)) == (0.0, 1.0)


def test_the_default_is_the_middle_of_the_prior():
    assert RATE.default == pytest.approx(10**-2.5)
    assert Float(0.0, 1.0, prior=(0.2, 0.4), default=0.1).default == 0.1


@pytest.mark.parametrize("domain", [RATE, Float(1e-5, 1.0, sampling="log", prior="range_test")])
def test_it_is_written_down_and_read(domain):
    assert domain_from_json(domain.to_json()) == domain
    assert "prior=" in repr(domain)
    assert domain.same_range(Float(1e-5, 1.0, sampling="log"))
    assert "prior" not in Float(1e-5, 1.0, sampling="log").to_json(), "older versions read what has none"


def test_while_the_test_has_not_been_run_it_is_a_plain_range():
    assert Float(1e-4, 1.0, sampling="log", prior="range_test").to_unit(1e-2) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"prior": (0.2, 0.1)}, "`prior` must be two rising numbers from 0.1 to 1.0"),
        ({"prior": (0.01, 0.5)}, "`prior` must be two rising numbers from 0.1 to 1.0"),
        ({"prior": "best"}, "or 'range_test'. Got 'best'"),
        ({"prior": (0.2, 0.3), "step": 0.1}, "`prior` must come without a `step`"),
        ({"prior": "range_test"}, "must come with sampling='log'"),
    ],
)
def test_a_prior_that_means_nothing_is_refused(arguments, why):
    with pytest.raises(SpaceError, match=why):
        Float(0.1, 1.0, **arguments)


def test_a_build_function_asks_for_it():
    hp = HyperParameters()
    hp.Float("rate", 1e-4, 1.0, sampling="log", prior="range_test")
    assert hp.found["rate"].domain.prior == "range_test"
