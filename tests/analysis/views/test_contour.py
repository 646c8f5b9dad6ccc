"""The expected score over a plane."""

import numpy as np
import pytest

from dialed.analysis.views import contour_view
from dialed.errors import InvalidInputError
from dialed.space import Choice, Condition, Float, Hyperparameter, Space


@pytest.mark.parametrize("direction", ["min", "max"])
def test_the_surface_finds_the_valley(searched, direction, space):
    view = contour_view(searched(120, direction), space, "learning_rate", "layers")
    surface = np.array(view.surface)
    assert surface.shape == (3, 25)
    assert view.x_grid[int(surface.mean(axis=0).argmin())] == pytest.approx(0.4, abs=0.1)
    assert (surface >= 0).all()


def test_the_most_important_are_chosen(searched, space):
    view = contour_view(searched(120), space)
    assert view.x.name == "learning_rate"


def test_too_few_trials_have_points_but_no_surface(searched, space):
    view = contour_view(searched(3), space)
    assert view.surface == ()
    assert "at least 10 trials" in view.reason
    assert len(view.x_places) == 3


def test_two_that_are_never_active_together_have_no_surface(sampled):
    kind = Hyperparameter("kind", Choice(["a", "b"]))
    children = [Hyperparameter(name, Float(0.0, 1.0), (Condition("kind", (name,)),)) for name in ("a", "b")]
    space = Space([kind, *children])
    view = contour_view(sampled(space, lambda v, _: v.get("a", 2.0), 30), space, "a", "b")
    assert view.reason == "No trial had both a and b."


def test_a_plane_needs_two_hyperparameters(searched, space):
    with pytest.raises(InvalidInputError, match="needs two hyperparameters that vary. Got 1"):
        contour_view(searched(3), Space([space["layers"], space["constant"]]))
    with pytest.raises(InvalidInputError, match="must be two hyperparameters. Got 'layers' twice"):
        contour_view(searched(3), space, "layers", "layers")


def test_of_many_trials_some_make_the_surface_and_the_view_says_so(searched, space):
    assert contour_view(searched(120), space, "learning_rate", "layers").cut == ""
    view = contour_view(searched(450), space, "learning_rate", "layers")
    assert view.cut.startswith("told from 400 of 450 trials")
    assert len(view.x_places) == 450
    assert view.x_grid[int(np.array(view.surface).mean(axis=0).argmin())] == pytest.approx(0.4, abs=0.1)


def test_a_surface_promises_nothing_that_was_not_seen(searched, space):
    view = contour_view(searched(60), space, "learning_rate", "layers")
    seen = [score for score in view.scores if score is not None]
    assert min(seen) <= np.min(view.surface) <= np.max(view.surface) <= max(seen)
