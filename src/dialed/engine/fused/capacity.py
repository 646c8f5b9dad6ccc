"""How many lanes a program has, how many programs run at once, and how many lanes are in training at the same time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import jax
import numpy as np

from dialed.engine.fused.device import free_bytes
from dialed.engine.fused.family import Family
from dialed.engine.fused.footprint import live_bytes
from dialed.engine.fused.hands import cores
from dialed.engine.fused.lane import HostState, Lane
from dialed.engine.fused.stack import bucket

__all__ = ["Plan", "bytes_of", "halved", "plan_for", "planner"]

MOST_LANES = 256
"""Lanes of one program on an accelerator."""

MOST_LANES_ON_CPU = 32
CACHE_BYTES = 4 * 2**20
"""On a CPU lanes share one program only while all their variables stay in a core's cache. Measured on two AVX-512 cores,
CPU milliseconds a step of one lane by the lanes of a program: 20-64-64-10 (0.07 MB) 0.068 alone, 0.040 from 4 to 64,
0.065 for 128; 784-32-10 (0.3 MB) 0.23, 0.16 from 8 to 32, 0.20 for 64; 784-256-10 (2.3 MB) 1.31 alone, 1.42 for 4,
1.96 for 16."""

_COPIES = 4
"""Of a lane's variables: in use, as the epoch's result, on the host, and as the best so far."""

_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`size` places of a program, `hands` programs at once, `room` for so many lanes in training."""

    size: int
    hands: int
    room: int


def plan_for(lanes: int, lane_bytes: int, *, step_bytes: int, free: int, on_cpu: bool, devices: int = 1) -> Plan:
    """How `lanes` are trained best.

    Args:
        lanes: How many want to train.
        lane_bytes: What one lane's variables take.
        step_bytes: What one lane's step takes beside them, at most.
        free: What the device has left.
        on_cpu: Whether the device is a CPU.
        devices: Over how many devices a program is spread.
    """
    hands = cores() if on_cpu and devices == 1 else 1
    usable = free * _SHARE
    at_once = max(1, int(usable * devices / (_COPIES * lane_bytes + step_bytes or 1)))
    most = min(MOST_LANES, at_once)
    if on_cpu:
        most = min(most, MOST_LANES_ON_CPU, max(1, CACHE_BYTES // max(lane_bytes, 1)))
    share = -(-lanes // hands)
    size = bucket(share) if share <= most else _floor(most)
    while devices > 1 and size % devices:
        size += 1
    used = min(hands, -(-lanes // size))
    room = max(1, size, int((usable - used * size * step_bytes) / (_COPIES * lane_bytes or 1)))
    return Plan(size=size, hands=used, room=room)


def halved(plan: Plan, devices: int = 1) -> Plan | None:
    """The same with less memory; `None` where it cannot be less, with a place on each device."""
    if plan.size > devices:
        size = max(1, plan.size // devices // 2) * devices
        return Plan(size=size, hands=plan.hands, room=max(size, plan.room // 2))
    if plan.hands > 1 or plan.room > 1:
        return Plan(size=devices, hands=1, room=1)
    return None


def bytes_of(state: HostState) -> int:
    """What a state takes."""
    return sum(np.asarray(array).nbytes for group in state for array in group)


def _floor(number: int) -> int:
    """The largest power of two that is not above `number`."""
    return int(2 ** (int(number).bit_length() - 1))


def planner(family: Family, lane: Lane) -> Callable[[int], Plan]:
    """The plan of `family` for so many lanes like `lane`, on this machine as it is now."""
    lane_bytes = bytes_of(family.widened(lane, lane.state))
    step = family.steps(lane.setting).train or family.steps(lane.setting).train_rest
    step_bytes = live_bytes(step.program.jaxpr) if step else 0
    free, on_cpu, devices = free_bytes(), jax.default_backend() == "cpu", len(jax.local_devices())

    def plan(lanes: int) -> Plan:
        best = plan_for(lanes, lane_bytes, step_bytes=step_bytes, free=free, on_cpu=on_cpu, devices=devices)
        return replace(best, size=1, hands=min(lanes, cores())) if family.stepwise else best

    return plan
