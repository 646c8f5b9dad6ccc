"""What tests are made of: conformance suites for the protocols, and searches without training."""

from dialed.testing.crew import Crew
from dialed.testing.engines import check_engine, engine_checks
from dialed.testing.executors import check_executor, executor_checks
from dialed.testing.simulate import Simulation, simulate
from dialed.testing.stores import check_store
from dialed.testing.strategies import check_strategy, strategy_checks
from dialed.testing.virtual import VirtualClock, VirtualRun, VirtualTime

__all__ = [
    "Crew",
    "Simulation",
    "VirtualClock",
    "VirtualRun",
    "VirtualTime",
    "check_engine",
    "check_executor",
    "check_store",
    "check_strategy",
    "engine_checks",
    "executor_checks",
    "simulate",
    "strategy_checks",
]
