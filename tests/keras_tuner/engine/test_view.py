"""A space of the drop-in as Dialed's strategies see it."""

from __future__ import annotations

from dialed.keras_tuner.engine.hyperparameters import HyperParameters
from dialed.keras_tuner.engine.view import View, clean


def spaced() -> HyperParameters:
    """One name in two scopes, and a scope that nothing reaches."""
    hp = HyperParameters()
    hp.Choice("kind", ["a", "b"])
    hp.Int("n", 1, 3, parent_name="kind", parent_values=["a"])
    hp.Int("n", 5, 6, parent_name="kind", parent_values=["b"])
    return hp


def test_a_name_in_two_scopes_is_two_hyperparameters() -> None:
    """And one again on the way back."""
    view = View(spaced().space)
    assert list(view.space.names) == ["kind", "n", "n (2)"]
    assert view.values({"kind": "b", "n (2)": 6}) == {"kind": "b", "n": 6}


def test_a_trial_is_known_by_what_is_active_and_in_its_range() -> None:
    """What the space has no place for is left out."""
    view = View(spaced().space)
    assert view.known({"kind": "b", "n": 6}) == {"kind": "b", "n (2)": 6}
    assert view.known({"kind": "a", "n": 6}) == {"kind": "a"}
    assert view.known({"kind": "a", "n": 2, "other": 1}) == {"kind": "a", "n": 2}


def test_conditions_hold_in_both() -> None:
    """A child is active while its parent has the value."""
    space = View(spaced().space).space
    assert set(space.active({"kind": "a", "n": 1})) == {"kind", "n"}


def test_what_hyperband_notes_is_no_value() -> None:
    """It says how long a trial is trained."""
    assert clean({"units": 4, "tuner/epochs": 3, "tuner/trial_id": "0"}) == {"units": 4}
