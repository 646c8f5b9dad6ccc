"""How the next trial is chosen: decisions, the history that they follow from, and strategies."""

from dialed.search.auto import Auto
from dialed.search.decisions import Continue, Decision, Finish, Start, Stop
from dialed.search.grid import Grid
from dialed.search.history import History, Terms
from dialed.search.manual import Manual
from dialed.search.one_at_a_time import OneAtATime
from dialed.search.protocol import Strategy, generator
from dialed.search.random_search import Random
from dialed.search.resolve import STRATEGY_NAMES, strategy_from
from dialed.search.sobol import Sobol

__all__ = [
    "STRATEGY_NAMES",
    "Auto",
    "Continue",
    "Decision",
    "Finish",
    "Grid",
    "History",
    "Manual",
    "OneAtATime",
    "Random",
    "Sobol",
    "Start",
    "Stop",
    "Strategy",
    "Terms",
    "generator",
    "strategy_from",
]
