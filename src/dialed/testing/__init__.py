"""What tests are made of: conformance suites for the protocols, and searches without training."""

from dialed.testing.engines import check_engine, engine_checks
from dialed.testing.simulate import Simulation, simulate
from dialed.testing.stores import check_store
from dialed.testing.strategies import check_strategy, strategy_checks

__all__ = [
    "Simulation",
    "check_engine",
    "check_store",
    "check_strategy",
    "engine_checks",
    "simulate",
    "strategy_checks",
]
