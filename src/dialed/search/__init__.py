"""How the next trial is chosen: decisions, the history that they follow from, and strategies."""

from dialed.search.asha import ASHA
from dialed.search.auto import Auto
from dialed.search.bayesian import Bayesian
from dialed.search.decisions import Continue, Copy, Decision, Finish, Start, Stop
from dialed.search.from_optuna import FromOptuna
from dialed.search.grid import Grid
from dialed.search.halving import Hyperband, SuccessiveHalving
from dialed.search.history import History, Terms
from dialed.search.manual import Manual
from dialed.search.one_at_a_time import OneAtATime
from dialed.search.population import PopulationBased
from dialed.search.protocol import Strategy, generator
from dialed.search.random_search import Random
from dialed.search.resolve import STRATEGY_NAMES, strategy_from
from dialed.search.sobol import Sobol

__all__ = [
    "ASHA",
    "STRATEGY_NAMES",
    "Auto",
    "Bayesian",
    "Continue",
    "Copy",
    "Decision",
    "Finish",
    "FromOptuna",
    "Grid",
    "History",
    "Hyperband",
    "Manual",
    "OneAtATime",
    "PopulationBased",
    "Random",
    "Sobol",
    "Start",
    "Stop",
    "Strategy",
    "SuccessiveHalving",
    "Terms",
    "generator",
    "strategy_from",
]
