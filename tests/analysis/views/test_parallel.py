"""Parallel coordinates."""

import pytest

from dialed.analysis.views import parallel_view
from dialed.errors import InvalidInputError


def test_each_axis_has_a_place_for_each_trial(searched, space):
    view = parallel_view(searched(30), space)
    assert [axis.name for axis in view.axes] == [name for name in space.names if name != "constant"]
    assert {len(row) for row in view.places} == {30}
    assert all(place is None or 0 <= place <= 1 for row in view.places for place in row)
    assert None in view.places[4]


def test_names_choose_the_axes_in_their_order(searched, space):
    view = parallel_view(searched(3), space, ["layers", "learning_rate"])
    assert [axis.name for axis in view.axes] == ["layers", "learning_rate"]


def test_an_unknown_name_is_refused_with_the_nearest(searched, space):
    with pytest.raises(InvalidInputError, match="Got 'layer'. Did you mean 'layers'?"):
        parallel_view(searched(3), space, ["layer"])
