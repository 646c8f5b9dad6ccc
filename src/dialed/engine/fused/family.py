"""A family: the models that one template stands for, and the programs compiled for it so far."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any

from dialed.clock import Clock
from dialed.engine.fused.division import Candidate, Division
from dialed.engine.fused.lane import HostState, Lane, Setting
from dialed.engine.fused.lifted import Number
from dialed.engine.fused.order import Split
from dialed.engine.fused.padding.axes import Unpaddable
from dialed.engine.fused.padding.fit import fit
from dialed.engine.fused.program import Feed, Layout, Program, Steps, trace_steps
from dialed.engine.fused.stepping import SteppedProgram
from dialed.engine.fused.tracing import Step
from dialed.engine.seeding import preserved

__all__ = ["Family", "Running"]

_log = logging.getLogger("dialed")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Running:
    """A compiled program and what it took to compile."""

    program: Program
    compile_seconds: float


@dataclass(slots=True, kw_only=True, eq=False)
class Family:
    """Lanes that share programs.

    Args:
        name: For reports.
        template: The model that is traced.
        division: Which numbers are inputs, and what its padding does.
        key: The setting's key: batches of the same shapes and data.
        witness: The model of a lane, as unlike the template as there is, and its own train step: what the program is
            checked against. `None` where the template is every lane.
        note: Which widths are padded, in words.
        refused: Why its programs are not to be used any more; empty where they are.
        checked: Whether a program has been compared with the witness.
        only_steps: Whether its epochs must be loops in Python over compiled steps: inside a compiled loop they were slow.
        stepwise: Whether they are that now.
        faster: Whether those were measured to be faster for one lane; `None` where nobody has measured.
    """

    name: str
    template: Candidate
    division: Division
    key: tuple[Any, ...]
    witness: tuple[Candidate, Step] | None = None
    note: str = ""
    refused: str = ""
    checked: bool = False
    only_steps: bool = False
    stepwise: bool = False
    faster: bool | None = None
    _steps: dict[bool, Steps] = field(default_factory=dict)
    _programs: dict[Layout, Running] = field(default_factory=dict)
    _ahead: dict[Layout, Future[Running]] = field(default_factory=dict)

    @property
    def is_padded(self) -> bool:
        """Whether its lanes may be narrower than its programs."""
        return bool(self.division.fits)

    def admits(self, lane: Lane) -> bool:
        """Whether `lane` is the template but for numbers that are inputs, and would be traced alike."""
        assert lane.candidate is not None
        if lane.setting.key != self.key or not self._numbers_fit(lane):
            return False
        if self.is_padded:
            return self._takes_in(lane)
        return lane.candidate.anatomy.digest == self.template.anatomy.digest

    def _numbers_fit(self, lane: Lane) -> bool:
        sites, own = self.division.sites, self.template.anatomy.numbers
        free = {*sites.paths, *self.division.idle, *(self.template.anatomy.sizes if self.is_padded else ())}
        given = lane.numbers
        if given.keys() != own.keys():
            return False
        return all(_alike(given[path], value) for path, value in own.items() if path not in free) and sites.admits(
            given
        )

    def _takes_in(self, lane: Lane) -> bool:
        """Find the lane's places, where it has any."""
        assert lane.candidate is not None
        if lane.candidate.anatomy.outline != self.template.anatomy.outline:
            return False
        try:
            found = fit(lane.candidate.model, self.template.model)
        except Unpaddable:
            return False
        lane.fit = found if self.division.padding.admits(found) else None
        return lane.fit is not None

    def brought(self, lanes: Sequence[Lane], places: int) -> tuple[Any, Any]:
        """What `lanes` bring: their numbers, and what padding needs. Places that no lane takes repeat the first."""
        filled = [*lanes, *[lanes[0]] * (places - len(lanes))]
        fits = [lane.fit for lane in filled if lane.fit is not None]
        return self.division.sites.lanes([lane.numbers for lane in filled]), self.division.padding.lanes(fits)

    def widened(self, lane: Lane, state: HostState) -> HostState:
        """A state of the lane in the shapes of the programs."""
        return state if lane.fit is None else self.division.padding.widened(state, lane.fit)

    def narrowed(self, lane: Lane, state: HostState) -> HostState:
        """The lane's own part of a state in the shapes of the programs."""
        return state if lane.fit is None else self.division.padding.narrowed(state, lane.fit)

    def steps(self, setting: Setting) -> Steps:
        """The template's steps, traced once."""
        stepwise = self.stepwise
        if stepwise not in self._steps:
            validation = setting.validation
            split = Split(validation.samples, setting.validation_batch_size) if validation else None
            with preserved():
                self._steps[stepwise] = trace_steps(
                    self.template.model,
                    self.division.sites,
                    self.division.padding,
                    setting.training.data,
                    Split(setting.training.samples, setting.batch_size),
                    (validation.data, split) if validation and split else None,
                    traced=None if stepwise else self.division.step,
                    convolutions=not stepwise,
                )
        return self._steps[stepwise]

    def running(self, layout: Layout, state: Any, numbers: Any, feed: Feed, clock: Clock) -> Running:
        """The program for `layout`, compiled if it is not yet."""
        begun = self._ahead.pop(layout, None)
        if begun is not None and not begun.cancelled():
            self._programs[layout] = begun.result()
        if layout not in self._programs:
            program = self._lowered(layout, state, numbers, feed)
            self._programs[layout] = self._compiled(program, clock)
        return self._programs[layout]

    def compile_ahead(
        self, layout: Layout, state: Any, numbers: Any, feed: Feed, clock: Clock, threads: Executor
    ) -> None:
        """Begin to compile the program for `layout` in one of `threads`."""
        if layout not in self._programs and layout not in self._ahead:
            program = self._lowered(layout, state, numbers, feed)
            self._ahead[layout] = threads.submit(self._compiled, program, clock)

    def _lowered(self, layout: Layout, state: Any, numbers: Any, feed: Feed) -> Program:
        kind = SteppedProgram if layout.stepwise else Program
        return kind(self._steps[layout.stepwise], layout, state, numbers, feed)

    def _compiled(self, program: Program, clock: Clock) -> Running:
        began = clock.monotonic()
        program.compile()
        seconds = clock.monotonic() - began
        _log.debug("%s: compiled for %d lanes in %.2f s", self.name, program.layout.lanes, seconds)
        return Running(program=program, compile_seconds=seconds)

    @property
    def compile_seconds(self) -> list[float]:
        """What each of its programs took to compile."""
        return [running.compile_seconds for running in self._programs.values()]

    @property
    def sizes(self) -> set[int]:
        """The numbers of places that programs are compiled for."""
        return {layout.lanes for layout in self._programs}


def _alike(one: Number, other: Number) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))
