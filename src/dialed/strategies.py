"""How the next trial is chosen: `dialed.Tuner(..., strategy=dialed.strategies.Grid(points=5))`."""

from dialed.search.auto import Auto
from dialed.search.grid import Grid
from dialed.search.manual import Manual
from dialed.search.one_at_a_time import OneAtATime
from dialed.search.random_search import Random
from dialed.search.sobol import Sobol

__all__ = ["Auto", "Grid", "Manual", "OneAtATime", "Random", "Sobol"]
