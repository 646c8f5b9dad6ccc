"""How the next trial is chosen: `dialed.Tuner(..., strategy=dialed.strategies.Grid(points=5))`."""

from dialed.search.asha import ASHA
from dialed.search.auto import Auto
from dialed.search.bayesian import Bayesian
from dialed.search.from_optuna import FromOptuna
from dialed.search.grid import Grid
from dialed.search.halving import Hyperband, SuccessiveHalving
from dialed.search.manual import Manual
from dialed.search.one_at_a_time import OneAtATime
from dialed.search.population import PopulationBased
from dialed.search.random_search import Random
from dialed.search.sobol import Sobol

__all__ = [
    "ASHA",
    "Auto",
    "Bayesian",
    "FromOptuna",
    "Grid",
    "Hyperband",
    "Manual",
    "OneAtATime",
    "PopulationBased",
    "Random",
    "Sobol",
    "SuccessiveHalving",
]
