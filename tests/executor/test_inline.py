import pytest

from dialed.executor import Inline


def test_jobs_run_in_order_one_a_wait():
    done, executor = [], Inline()
    for number in range(3):
        executor.submit(lambda number=number: done.append(number))
    assert executor.wait() == 1
    assert done == [0]
    executor.wait()
    executor.wait()
    assert done == [0, 1, 2]
    assert executor.wait() == 0


def test_it_is_free_only_when_nothing_waits():
    executor = Inline()
    assert executor.free == 1
    executor.submit(lambda: None)
    assert executor.free == 0
    executor.wait()
    assert executor.free == 1


def test_what_a_job_raises_reaches_the_caller():
    executor = Inline()

    def broken():
        raise RuntimeError("boom")

    executor.submit(broken)
    with pytest.raises(RuntimeError, match="boom"):
        executor.wait()
    assert executor.free == 1


def test_closing_drops_what_has_not_begun():
    done, executor = [], Inline()
    executor.submit(lambda: done.append(1))
    executor.close()
    assert executor.wait() == 0
    assert done == []
