"""A family: the models that one template stands for, and the programs compiled for it so far."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dialed.clock import Clock
from dialed.engine.fused.division import Candidate, Division
from dialed.engine.fused.lane import Lane, Setting
from dialed.engine.fused.lifted import Number
from dialed.engine.fused.order import Split
from dialed.engine.fused.program import Feed, Layout, Program, Steps, trace_steps
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
        other: The model whose own step the program is checked against, where there is more than one.
        division: Which numbers are inputs.
        key: The setting's key: batches of the same shapes and data.
        refused: Why its programs are not to be used any more; empty where they are.
    """

    name: str
    template: Candidate
    other: Candidate | None
    division: Division
    key: tuple[Any, ...]
    refused: str = ""
    checked: bool = False
    _steps: Steps | None = None
    _programs: dict[Layout, Running] = field(default_factory=dict)

    def admits(self, digest: str, given: Mapping[str, Number], key: tuple[Any, ...]) -> bool:
        """Whether a model of this digest and these numbers is the template but for numbers that are inputs, and would be traced alike."""
        if key != self.key or digest != self.template.anatomy.digest:
            return False
        sites, own = self.division.sites, self.template.anatomy.numbers
        free = {*sites.paths, *self.division.idle}
        same = all(_alike(given[path], value) for path, value in own.items() if path not in free)
        return same and sites.admits(given)

    def numbers(self, lanes: Sequence[Lane], places: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """The inputs of `lanes`; places that no lane takes repeat the first."""
        numbers = [lane.numbers for lane in lanes]
        return self.division.sites.lanes([*numbers, *[numbers[0]] * (places - len(numbers))])

    def steps(self, setting: Setting) -> Steps:
        """The template's steps, traced once."""
        if self._steps is None:
            validation = setting.validation
            split = Split(validation.samples, setting.validation_batch_size) if validation else None
            with preserved():
                self._steps = trace_steps(
                    self.template.model,
                    self.division.sites,
                    setting.training.data,
                    Split(setting.training.samples, setting.batch_size),
                    (validation.data, split) if validation and split else None,
                )
        return self._steps

    def running(self, layout: Layout, state: Any, numbers: Any, feed: Feed, clock: Clock) -> Running:
        """The program for `layout`, compiled if it is not yet."""
        if layout not in self._programs:
            assert self._steps is not None
            began = clock.monotonic()
            program = Program(self._steps, layout, state, numbers, feed)
            seconds = clock.monotonic() - began
            _log.debug("%s: compiled for %d lanes in %.2f s", self.name, layout.lanes, seconds)
            self._programs[layout] = Running(program=program, compile_seconds=seconds)
        return self._programs[layout]

    def has(self, layout: Layout) -> bool:
        """Whether the program for `layout` is compiled."""
        return layout in self._programs


def _alike(one: Number, other: Number) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))
