"""The climb on benches made of formulas: what fits, what pays, and what is never tried."""

import itertools

import pytest

from dialed.tools.batches.ladder import HEADROOM, Rung, climb, knee


class Made:
    """A bench whose steps take `fixed + size * each` seconds and bytes of `100 + 10 * size`; it fails from `breaks` on."""

    def __init__(self, *, limit=None, tells=True, breaks=10**9, fresh_breaks=None, fixed=1.0, each=0.01):
        self._limit, self.tells, self.breaks = limit, tells, breaks
        self.fresh_breaks = breaks if fresh_breaks is None else fresh_breaks
        self.fixed, self.each = fixed, each
        self.timed, self.tried, self.verified = [], [], []

    def limit(self):
        return self._limit

    def needs(self, size):
        return 100 + 10 * size if self.tells else None

    def tries(self, size, *, timed):
        (self.timed if timed else self.tried).append(size)
        seconds = self.fixed + size * self.each if timed else None
        return None if size >= self.breaks else Rung(size=size, step_seconds=seconds, bytes=self.needs(size))

    def verifies(self, size):
        self.verified.append(size)
        return size < self.fresh_breaks


def test_what_cannot_fit_by_its_program_is_never_tried():
    bench = Made(limit=12_000)
    found = climb(bench, 8, 4096)
    room = (HEADROOM * 12_000 - 100) / 10
    assert found.foretold
    assert room * 0.9 < found.largest <= room
    assert max(bench.timed) <= room
    assert not bench.tried
    assert bench.verified == [found.largest]
    assert not found.is_all


@pytest.mark.parametrize("breaks", [9, 33, 700, 1025, 2000])
def test_without_such_a_program_sizes_double_until_one_fails_and_are_bisected(breaks):
    bench = Made(tells=False, breaks=breaks, fixed=1e9)
    found = climb(bench, 8, 2048)
    assert not found.foretold
    assert breaks * 0.93 - 1 <= found.largest < breaks
    doubled = [size for size in bench.timed if size < breaks]
    assert all(late == 2 * early for early, late in itertools.pairwise(doubled))


@pytest.mark.parametrize("tells", [True, False])
def test_where_all_fit_the_highest_is_the_largest(tells):
    found = climb(Made(tells=tells, limit=10**9), 8, 1000)
    assert found.largest == 1000
    assert found.is_all


def test_larger_sizes_are_not_timed_once_they_do_not_pay():
    bench = Made(fixed=0.01, each=0.01)
    found = climb(bench, 8, 65536)
    assert max(rung.size for rung in found.rungs) <= 128
    assert found.largest == 65536, "memory is another question"


def test_the_knee_is_the_smallest_size_near_the_best():
    rungs = climb(Made(fixed=1.0, each=0.01), 8, 65536).rungs
    best = max(r.size / r.step_seconds for r in rungs)
    assert knee(rungs) == min(r.size for r in rungs if r.size / r.step_seconds >= 0.95 * best)
    assert knee(rungs) < rungs[-1].size


def test_a_size_that_fails_in_a_fresh_process_is_taken_back():
    found = climb(Made(limit=10**9, fresh_breaks=900), 8, 1000)
    assert found.largest == 875
    assert not found.is_all


def test_where_not_even_the_lowest_fits_there_is_nothing():
    found = climb(Made(limit=50), 8, 64)
    assert found.largest is None
    assert not found.rungs
