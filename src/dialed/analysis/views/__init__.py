"""What a picture of a study shows, as frozen data; see README.md beside this file."""

from __future__ import annotations

from dialed.analysis.views.axis import Axis, Tick
from dialed.analysis.views.contour import ContourView, contour_view
from dialed.analysis.views.curves import CurvesView, Line, curves_view
from dialed.analysis.views.document import as_json
from dialed.analysis.views.front import FrontView, front_view
from dialed.analysis.views.history import HistoryView, history_view
from dialed.analysis.views.parallel import ParallelView, parallel_view
from dialed.analysis.views.race import RaceView, Runner, race_view
from dialed.analysis.views.rungs import Climb, CorrelationView, Rung, RungsView, correlation_view, rungs_view
from dialed.analysis.views.slices import Cell, Slice, SliceView, slice_view
from dialed.analysis.views.timeline import Bar, Sitting, TimelineView, WorkerRows, timeline_view
from dialed.analysis.views.tried import Marginal, TriedView, tried_view

__all__ = [
    "Axis",
    "Bar",
    "Cell",
    "Climb",
    "ContourView",
    "CorrelationView",
    "CurvesView",
    "FrontView",
    "HistoryView",
    "Line",
    "Marginal",
    "ParallelView",
    "RaceView",
    "Rung",
    "RungsView",
    "Runner",
    "Sitting",
    "Slice",
    "SliceView",
    "Tick",
    "TimelineView",
    "TriedView",
    "WorkerRows",
    "as_json",
    "contour_view",
    "correlation_view",
    "curves_view",
    "front_view",
    "history_view",
    "parallel_view",
    "race_view",
    "rungs_view",
    "slice_view",
    "timeline_view",
    "tried_view",
]
