"""Scores over one hyperparameter."""

import pytest

from dialed.analysis.views import slice_view


def test_cells_tell_where_scores_lie_in_the_middle(searched, space):
    view = slice_view(searched(200), space, ["learning_rate"])
    cells = view.slices[0].cells
    assert min(cells, key=lambda cell: cell.median).place == pytest.approx(0.4, abs=0.11)  # 1e-3 of 1e-5 to 1
    assert all(cell.low <= cell.median <= cell.high for cell in cells)
    assert sum(cell.count for cell in cells) <= 180


def test_a_category_has_a_cell_for_each_choice(searched, space):
    cells = slice_view(searched(100), space, ["optimizer"]).slices[0].cells
    assert [cell.place for cell in cells] == [0.25, 0.75]


def test_few_scores_have_no_middle(searched, space):
    assert slice_view(searched(2), space, ["optimizer"]).slices[0].cells == ()
