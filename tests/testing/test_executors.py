"""Our executors keep the rules, and the checks notice those that do not."""

import pytest

from dialed.executor import Inline, Worker
from dialed.executor.processes.pool import Processes
from dialed.testing.executors import (
    check_a_job_comes_back_once,
    check_executor,
    check_workers_are_free_and_have_names,
    executor_checks,
)


def inline(store, make_engine, workers):
    worker = Worker(store, make_engine)
    return Inline(worker.name, worker.train, close=worker.close)


def processes(store, make_engine, workers):
    return Processes(make_engine, workers=workers, store=store, lease_seconds=600.0)


@pytest.mark.parametrize("check", executor_checks(), ids=lambda check: check.__name__)
def test_inline_keeps_the_rules(check, tmp_path):
    check(inline, tmp_path)


@pytest.mark.slow
def test_processes_keep_the_rules(tmp_path):
    check_executor(processes, tmp_path)


class Lazy(Inline):
    """Says that a job has ended twice, is never given up, and has nobody free."""

    free = ("me", "me")

    def wait(self, timeout_seconds=None):
        super().wait(timeout_seconds)
        return tuple(self.kept)

    def submit(self, job):
        self.kept = [job]
        super().submit(job)


def lazy(store, make_engine, workers):
    worker = Worker(store, make_engine)
    return Lazy(worker.name, worker.train)


@pytest.mark.parametrize(
    ("check", "complaint"),
    [
        (check_workers_are_free_and_have_names, "workers share a name: "),
        (check_a_job_comes_back_once, "a job came back twice"),
    ],
)
def test_the_checks_notice_what_breaks_a_rule(check, complaint, tmp_path):
    with pytest.raises(AssertionError, match=complaint):
        check(lazy, tmp_path)
