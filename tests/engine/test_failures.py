"""Exceptions become causes, with the line of the user's code."""

from __future__ import annotations

import pytest

from dialed.engine.failures import MemberFailed, failure_from, is_out_of_memory
from dialed.errors import InvalidInputError
from dialed.space import Infeasible
from dialed.trial import Cause


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:  # noqa: BLE001 - this is what the test is about
        return caught


class XlaRuntimeError(RuntimeError):
    """As in jaxlib."""


class ResourceExhaustedError(Exception):
    """As in TensorFlow."""


class OutOfMemoryError(RuntimeError):
    """As in torch."""


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        XlaRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 8 bytes."),
        ResourceExhaustedError("OOM when allocating tensor"),
        OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_memory_that_ran_out_is_known_on_each_backend(error: Exception) -> None:
    assert failure_from(raised(error)).cause is Cause.OUT_OF_MEMORY


def test_the_reason_may_be_further_down() -> None:
    wrapped = RuntimeError("could not build")
    wrapped.__cause__ = MemoryError()
    assert is_out_of_memory(wrapped) and not is_out_of_memory(RuntimeError("memory"))


def test_other_errors_come_with_the_users_line() -> None:
    failure = failure_from(raised(ZeroDivisionError("by zero")))
    assert failure.cause is Cause.ERROR
    assert failure.message.startswith("ZeroDivisionError: by zero (line ")
    assert failure.message.endswith(f"of {__file__}: raise error)")


def test_the_innermost_line_of_the_users_is_named_not_that_of_a_library() -> None:
    import json

    try:
        json.loads("{")
    except ValueError as error:
        assert "json.loads" in failure_from(error, otherwise=Cause.BUILD).message


def test_requirements_and_known_failures_keep_their_causes() -> None:
    assert failure_from(raised(Infeasible("too wide"))).cause is Cause.INFEASIBLE
    known = MemberFailed(Cause.NAN, "no number")
    assert failure_from(known) is known


def test_dialeds_own_errors_are_their_message() -> None:
    assert (
        failure_from(InvalidInputError("`x` is wrong."), otherwise=Cause.BUILD).message
        == "InvalidInputError: `x` is wrong."
    )


def test_endless_messages_are_cut() -> None:
    assert len(failure_from(RuntimeError("x" * 10_000)).message) < 1600
