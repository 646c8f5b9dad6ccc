"""The engine on any backend: lanes are trained in a process with JAX, all else is left to an engine in this process."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dialed.backend import is_installed
from dialed.engine.arguments import listed
from dialed.engine.assignment import Assignment
from dialed.engine.jax_worker.channel import Closed
from dialed.engine.jax_worker.errand import Errand, say
from dialed.engine.jax_worker.messages import Open, Plan, Planned, Refused, Said
from dialed.engine.jax_worker.parcel import Immovable, Parcel, module_to_copy, write
from dialed.engine.jax_worker.process import JaxProcess
from dialed.engine.jax_worker.settings import keras_settings, registered_here
from dialed.engine.protocol import Batch, Engine, OnReport, Progress
from dialed.engine.recipe import Recipe
from dialed.events import Built
from dialed.trial import Cause, Member, Outcome, State

__all__ = ["JaxWorkerEngine", "reason_against_process"]

_log = logging.getLogger("dialed")

_FRUITLESS_DEATHS = 2
"""So many members in a row that end the process alone, before any epoch: then it is not the members' fault."""


class _NotStarted(Exception):
    """There is no process to talk to; the message says why."""


class JaxWorkerEngine:
    """Trains members as lanes of compiled programs, in one process of its own with Keras on JAX.

    To choose: with Keras on TensorFlow or torch, for models that do not depend on the backend. Checkpoints hold Keras's
    variables in Keras's order, so the weights come back to models on the backend in use. What cannot be a lane, cannot
    be sent, or fails on JAX before its first epoch goes to `fallback`, in this process, with the reason.

    Args:
        assignment: What is trained, for what, and until when. Checkpoints are written by both processes, and each reads
            a clock of its own: what is compared between them is seconds left.
        fallback: Trains what cannot be trained there.
        checkpoint_seconds: The longest time between two checkpoints of a member, while its epochs end. Defaults to 30.
        deadline: Returns when training must stop, on the clock's monotonic time, or None. Defaults to never.
        process: One that was started early. Defaults to starting one when it is needed.
        compile_cache: Whether compiled programs are kept for the next session; or the folder for them. Defaults to
            True.
    """

    def __init__(
        self,
        assignment: Assignment,
        *,
        fallback: Engine,
        process: JaxProcess | None = None,
        compile_cache: bool | str | os.PathLike[str] = True,
    ) -> None:
        self.assignment = assignment
        self.fallback = fallback
        self.process = process
        self.compile_cache = compile_cache if isinstance(compile_cache, bool) else os.path.abspath(compile_cache)
        self._against = reason_against_process(assignment.recipe, assignment.data)
        self._fruitless = 0

    def plan(self, members: Sequence[Member]) -> list[Batch]:
        """As the process plans it; what it would hand back is planned by `fallback`."""
        planned: list[Batch] = []
        for batch in self._plans(members):
            if batch.program == "fit":
                planned += [replace(each, reason=batch.reason) for each in self.fallback.plan(batch.members)]
            else:
                planned.append(batch)
        return planned

    def train(self, members: Sequence[Member], until: int, on_report: OnReport) -> Iterator[Outcome]:
        """As the protocol says. Outcomes come as members end, not in the order of `members`."""
        back: list[tuple[Member, str]] = []
        groups = [list(members)]
        while groups:
            group = groups.pop(0)
            process = self._ready()
            if process is None:
                back += [(member, self._against) for member in group]
                continue
            errand = Errand(process.channel, group, until, on_report, seconds=lambda: self.assignment.seconds_left)
            try:
                yield from errand.outcomes()
            except Closed:
                yield from self._after_death(errand, groups)
            finally:
                if errand.is_lost:
                    self.close()
            back += errand.back
        yield from self._here(back, until, on_report)

    def close(self) -> None:
        """End the process. Training again would start another."""
        if self.process is not None:
            self.process.close()
            self.process = None

    def _plans(self, members: Sequence[Member]) -> list[Batch]:
        process = self._ready()
        if process is not None:
            try:
                answer = self._asked(process, Plan(members=tuple(_plain(member) for member in members)))
                if isinstance(answer, Planned):
                    return list(answer.batches)
                self._against = f"the process with JAX could not plan it: {answer}"
            except Closed:
                self._against = f"the process with JAX ended: {self._buried()}"
        return [Batch(members=tuple(members), program="fit", reason=self._against)] if members else []

    def _ready(self) -> JaxProcess | None:
        """A process that knows this search; `None` where there can be none, and `_against` says why."""
        if not self._against and (self.process is None or self.process.tenant is not self):
            self._against = self._open()
            if self._against:
                _log.info("Trained without a process with JAX: %s", self._against)
                self.close()
        return None if self._against else self.process

    def _open(self) -> str:
        """Send the search; why it was not taken up, empty where it was."""
        try:
            refused = self._sent(copied=False)
            if (
                refused is not None
                and refused.importing
                and module_to_copy(self.assignment.recipe.hypermodel) is not None
            ):
                refused = self._sent(copied=True)  # imported here, but not to be imported there
        except (Immovable, _NotStarted) as error:
            return str(error)
        assert self.process is not None  # it has just answered
        self.process.tenant = self
        return "" if refused is None else f"the process with JAX cannot take the search up: {refused.reason}"

    def _sent(self, *, copied: bool) -> Refused | None:
        parcel = Parcel(
            hypermodel=self.assignment.recipe.hypermodel,
            arguments=self.assignment.recipe.arguments,
            max_parameters=self.assignment.recipe.max_parameters,
            data=replace(self.assignment.data, _kept={}),
            objective=self.assignment.objective,
            checkpoints=self.assignment.checkpoints,
            clock=self.assignment.clock,
            checkpoint_seconds=self.assignment.checkpoint_seconds,
            compile_cache=self.compile_cache,
            keras=keras_settings(),
            registered=registered_here(),
        )
        with tempfile.TemporaryDirectory(prefix="dialed-") as folder:
            write(parcel, Path(folder), copied=module_to_copy(self.assignment.recipe.hypermodel) if copied else None)
            answer = self._delivered(Open(folder=folder))
        return answer if isinstance(answer, Refused) else None

    def _delivered(self, command: Open) -> Any:
        """The answer of a process, of a new one where the old one has ended since."""
        how = ""
        for _ in range(2):
            try:
                self.process = self.process or JaxProcess()
                return self._asked(self.process, command)
            except Closed:
                how = self._buried()
            except OSError as error:
                how = str(error)
        raise _NotStarted(f"the process with JAX did not start: {how}")

    def _asked(self, process: JaxProcess, command: Open | Plan) -> Any:
        """The answer to `command`."""
        process.channel.send(command)
        try:
            while True:
                answer = process.channel.receive()
                if not isinstance(answer, Said):
                    return answer
                say(answer)
        except Closed:
            raise
        except BaseException:  # Ctrl-C: the answer would come when nobody expects it
            self.close()
            raise

    def _after_death(self, errand: Errand, groups: list[list[Member]]) -> Iterator[Outcome]:
        """Find out whose fault it was: try the members again in halves; one that kills a process alone has failed."""
        how = self._buried()
        left = list(errand.unfinished.values())
        if errand.epochs:
            self._fruitless = 0
        if len(left) > 1:
            _log.warning("The process with JAX ended while it trained %d members: %s. Tried in halves.", len(left), how)
            half = (len(left) + 1) // 2
            groups[:0] = [left[:half], left[half:]]
            return
        self._fruitless += not errand.epochs
        if self._fruitless >= _FRUITLESS_DEATHS:
            self._against = f"the process with JAX ended {self._fruitless} times before an epoch: {how}"
            groups[:0] = [left]
            return
        for member in left:
            yield Outcome(
                key=member.key,
                state=State.FAILED,
                epoch=member.epoch,
                cause=Cause.KILLED,
                message=f"The process with JAX ended while it trained this trial alone: {how}.",
                last=member.checkpoint,
            )

    def _here(self, members: Sequence[tuple[Member, str]], until: int, on_report: OnReport) -> Iterator[Outcome]:
        by_reason: dict[str, list[Member]] = {}
        for member, reason in members:
            by_reason.setdefault(reason, []).append(member)
        for reason, group in by_reason.items():
            yield from self.fallback.train(group, until, _with_reason(on_report, reason))

    def _buried(self) -> str:
        """Let go of a process whose line is dead; how it ended."""
        process, self.process = self.process, None
        return process.post_mortem() if process is not None else "it was closed"


def reason_against_process(recipe: Recipe, data: Any) -> str:
    """Why no trial of a search could be trained in another process; empty where some could. Starts nothing."""
    from dialed.engine.fused.demands import reason_against_data

    if not sys.executable:
        return "this Python does not know its own program, so no other process can be started"
    if not is_installed("jax"):
        return "JAX is not installed; `pip install jax`"
    against = reason_against_data(recipe, data)
    if against:
        return against
    if data.preparation is not None:
        return "`prepare` may need this process"
    own = next((entry for entry in listed(recipe.arguments.get("callbacks")) if not _is_keras(entry)), None)
    if own is not None:
        name = own.__name__ if isinstance(own, type) else type(own).__name__
        return f"the callback {name} is not one of Keras's own, and may need this process"
    return ""


def _is_keras(callback: Any) -> bool:
    """Whether it is of a class of Keras, and holds no function of the user's."""
    import keras

    kind = callback if isinstance(callback, type) else type(callback)
    holds_code = (keras.callbacks.LambdaCallback, keras.callbacks.LearningRateScheduler)
    return kind.__module__.split(".")[0] == "keras" and not issubclass(kind, holds_code)


def _plain(member: Member) -> Member:
    return replace(member, values=dict(member.values))


def _with_reason(on_report: OnReport, reason: str) -> OnReport:
    def told(progress: Progress) -> bool:
        if isinstance(progress, Built):
            progress = replace(progress, engine=f"{progress.engine}: {reason}")
        return on_report(progress)

    return told
