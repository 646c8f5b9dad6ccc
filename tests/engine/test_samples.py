"""Arrays that belong together: finite numbers only, and cheap parts of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialed.engine import samples as module
from dialed.engine.samples import Samples
from dialed.errors import DataError


def test_nan_and_infinity_are_refused_with_their_number_and_the_first_place() -> None:
    x = np.zeros((4, 3), "float32")
    x[2, 1], x[3, 0] = np.nan, np.inf
    with pytest.raises(
        DataError,
        match=r"`x` must hold finite numbers. Got 2 NaN or infinite values, the first \(nan\) at index \(2, 1\).*False",
    ):
        Samples.of(x, None, None)


@pytest.mark.parametrize("name", ["y", "sample_weight"])
def test_nan_is_found_in_targets_and_weights(name: str) -> None:
    bad = np.array([0.0, -np.inf])
    arguments = {"y": np.zeros(2), "sample_weight": None} | {name: bad}
    with pytest.raises(DataError, match=rf"`{name}` must hold finite numbers. Got 1 .*\(-inf\) at index 1\."):
        Samples.of(np.zeros((2, 1)), **arguments)


def test_the_check_can_be_left_out() -> None:
    x = np.array([[np.nan]])
    assert len(Samples.of(x, None, None, check_finite=False)) == 1


@settings(deadline=None)
@given(rows=st.integers(1, 50), columns=st.integers(1, 4), place=st.integers(0, 10_000), chunk=st.integers(1, 400))
def test_the_first_place_is_right_however_the_array_is_cut(rows: int, columns: int, place: int, chunk: int) -> None:
    x = np.zeros((rows, columns))
    row, column = divmod(place % x.size, columns)
    x[row, column] = np.nan
    x[-1, -1] = np.nan
    count = np.isnan(x).sum()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_CHUNK_BYTES", chunk)
        with pytest.raises(DataError, match=rf"Got {count} .* at index \({row}, {column}\)\."):
            Samples.of(x, None, None)


def test_sparse_matrices_are_checked_cut_and_measured_by_what_they_store() -> None:
    from scipy import sparse

    dense = np.diag([1.0, 2.0, 3.0])
    made = Samples.of(sparse.coo_matrix(dense), np.arange(3), None)
    np.testing.assert_array_equal(made.rows(np.array([2, 0])).x.toarray(), dense[[2, 0]])
    np.testing.assert_array_equal(made.rows(slice(1, 3)).x.toarray(), dense[1:])
    assert made.bytes == 3 * 8 + 3 * 8
    with pytest.raises(
        DataError, match=r"`x` must hold finite numbers. Got 1 NaN or infinite values, the first \(nan\)"
    ):
        Samples.of(sparse.csr_matrix(np.array([[0.0, np.nan]])), None, None)


def test_parts_are_views_for_slices_and_copies_for_indices() -> None:
    x = np.arange(6.0).reshape(3, 2)
    made = Samples.of(x, None, None)
    assert np.shares_memory(made.rows(slice(0, 2)).x, x)
    assert not np.shares_memory(made.rows(np.array([0, 1])).x, x)


def test_the_form_for_validation_leaves_out_weights_that_are_not_there() -> None:
    x, y = np.zeros((2, 1)), np.zeros(2)
    assert len(Samples.of(x, y, None).as_tuple()) == 2
    assert len(Samples.of(x, y, np.ones(2)).as_tuple()) == 3
