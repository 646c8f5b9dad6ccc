import pytest

from dialed.executor import Inline, Job


def job(name="me"):
    return Job(worker=name, leased=())


def test_jobs_run_in_order_one_a_wait():
    done = []
    executor = Inline("me", done.append)
    jobs = [job() for _ in range(3)]
    for each in jobs:
        executor.submit(each)
    assert executor.wait()[0] is jobs[0]
    assert len(done) == 1
    executor.wait()
    executor.wait()
    assert [any(a is b for b in jobs) for a in done] == [True] * 3
    assert executor.wait() == ()


def test_its_worker_is_free_only_when_nothing_waits():
    executor = Inline("me", lambda job: None)
    assert executor.free == ("me",)
    executor.submit(job())
    assert executor.free == ()
    executor.wait()
    assert executor.free == ("me",)


def test_what_a_job_raises_reaches_the_caller():
    def broken(job):
        raise RuntimeError("boom")

    executor = Inline("me", broken)
    executor.submit(job())
    with pytest.raises(RuntimeError, match="boom"):
        executor.wait()
    assert executor.free == ("me",)


def test_closing_drops_what_has_not_begun_and_gives_back_what_training_held():
    done, closed = [], []
    executor = Inline("me", done.append, close=lambda: closed.append(True))
    executor.submit(job())
    executor.close()
    assert executor.wait() == ()
    assert (done, closed) == ([], [True])
