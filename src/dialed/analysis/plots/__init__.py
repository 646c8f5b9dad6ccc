"""Pictures of a study by Matplotlib: `study.plot.history()` and its like. See README.md beside this file."""

from __future__ import annotations

from dialed.analysis.plots.canvas import Theme
from dialed.analysis.plots.gallery import Plots

__all__ = ["Plots", "Theme"]
