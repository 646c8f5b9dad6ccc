"""A search in a notebook: one output that updates while it runs, and tables for a study and a trial.

No JavaScript and no style sheet: styles are inline and take the page's own colours, so that light and dark themes
work, and a notebook that is not trusted shows the same. Everything that comes from a user is escaped.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from importlib import import_module
from typing import TypeAlias

from dialed.clock import Clock
from dialed.events import Event, SessionEnded
from dialed.observe.estimate import Gauge
from dialed.observe.lines import closing_lines
from dialed.observe.progress import Progress
from dialed.observe.snapshot import Active, Limits, Snapshot
from dialed.observe.text import (
    first_line,
    format_bytes,
    format_count,
    format_latency,
    format_score,
    format_seconds,
    format_value,
    format_values,
    sparkline,
)
from dialed.search.history import History, Terms
from dialed.trial import MemberRecord, State, Trial, Values, best_first

__all__ = ["NotebookDisplay", "Show", "search_html", "study_html", "trial_html"]

Show: TypeAlias = Callable[[Mapping[str, str], str, bool], None]
"""Shows a bundle of MIME types under an identity: anew, or (True) in place of what stands there."""

_SECONDS_BETWEEN_UPDATES = 0.5
_MOST_ACTIVE = 12
_MOST_TRIALS = 20

_LINE = "1px solid rgba(128,128,128,.35)"
_CELL = f"padding:.15em .9em .15em 0;text-align:left;border-bottom:{_LINE};white-space:nowrap"
_NUMBER = _CELL.replace("text-align:left", "text-align:right")
_WIDE_CELL = _CELL.replace("white-space:nowrap", "white-space:normal;overflow-wrap:anywhere")
_DIM = "opacity:.65"
_BAR = "display:inline-block;width:14em;height:.55em;background:rgba(128,128,128,.3);border-radius:.3em"
_FILL = "display:block;height:100%;background:#2a8fbd;border-radius:.3em"


def trial_html(trial: Trial) -> str:
    """Return one trial as HTML: its state, score and cost, its values, and its members where there are several."""
    facts = [str(trial.state) + (f" ({trial.cause})" if trial.cause else "")]
    if trial.score is not None:
        facts.append(f"score {format_score(trial.score, trial.spread)}")
    facts += [format_count(trial.epochs, "epoch"), format_seconds(trial.seconds)]
    if trial.parameters is not None:
        facts.append(format_count(trial.parameters, "parameter"))
    if trial.latency is not None:
        facts.append(f"{format_latency(trial.latency)} a sample")
    parts = [_head(f"Trial {trial.number}", ", ".join(facts))]
    if trial.message:
        parts.append(f'<pre style="white-space:pre-wrap;margin:.4em 0">{escape(trial.message)}</pre>')
    if trial.values:
        parts.append(_values_html(trial.values))
    if trial.members:
        parts.append(_members_html(trial.members))
    return _frame(parts)


def study_html(history: History, name: str = "study", *, most: int = _MOST_TRIALS) -> str:
    """Return a study as HTML: counts, the best trial, and the `most` best trials by score.

    Args:
        history: The study's history.
        name: The study's name. Defaults to "study".
        most: The most trials to list. Defaults to 20.
    """
    objective, best, baseline = history.objective, history.best_trial, history.baseline
    counts = f"{format_count(len(history), 'trial')}, {format_count(history.epochs, 'epoch')}"
    better = "higher" if objective.direction == "max" else "lower"
    parts = [_head(name, f"{objective.name}, {better} is better; {counts}")]
    defaults = None if baseline is None else baseline.values
    if best is not None:
        parts.append(_best_html(best, defaults))
    shown = _first(history, most)
    if shown:
        parts.append(_trials_html(shown, objective.name, defaults))
    if len(history) > len(shown):
        parts.append(f'<div style="{_DIM}">and {format_count(len(history) - len(shown), "more trial")}</div>')
    return _frame(parts)


def search_html(look: Snapshot) -> str:
    """Return a search that runs as HTML: the best so far, members in work, the last trials that ended, the budget."""
    left = "" if look.seconds_left is None else f", about {format_seconds(look.seconds_left)} left"
    better = "higher" if look.objective.direction == "max" else "lower"
    parts = [_head(look.name, f"{look.objective.name}, {better} is better; {format_seconds(look.seconds)}{left}")]
    if look.best is not None:
        parts.append(_best_html(look.best, look.defaults))
    if look.active:
        parts.append(_active_html(look.active, look.defaults))
    if look.finished:
        parts.append(_trials_html(look.finished, look.objective.name, look.defaults))
    parts += [_gauge_html(gauge) for gauge in look.gauges]
    parts += [f"<div>{escape(line)}</div>" for line in closing_lines(look)[2:]]
    if look.ended:
        parts.append(f"<div>{escape(first_line(look.ended))}</div>")
    return _frame(parts)


class NotebookDisplay:
    """One output of a notebook that shows a search and updates while it runs.

    Events are counted when they come; the output is made anew at most twice a second.

    Args:
        terms: What the study trains each trial for.
        clock: Where the time comes from.
        budget: The limits of the search. Defaults to those of `terms`.
        name: The study's name. Defaults to "study".
        show: Shows the output. Defaults to `None`: IPython's display.
    """

    def __init__(
        self,
        *,
        terms: Terms,
        clock: Clock,
        budget: Limits | None = None,
        name: str = "study",
        show: Show | None = None,
    ) -> None:
        self.progress = Progress(terms, clock=clock, budget=budget, name=name)
        self._clock = clock
        self._show = show or _show_in_ipython
        self._identity = ""
        self._updated = 0.0
        self._late: threading.Timer | None = None
        self._lock = threading.RLock()

    def recall(self, events: Iterable[Event]) -> None:
        """Count events of earlier sessions, without showing them as new."""
        self.progress.recall(events)

    def start(self) -> None:
        """Make the output, unless it is there."""
        with self._lock:
            if not self._identity:
                self._identity = f"dialed-{uuid.uuid4().hex}"
                self._draw(again=False)

    def stop(self) -> None:
        """Show the result. What comes after this begins an output of its own."""
        with self._lock:
            if self._identity:
                self._draw(again=True)
                self._identity = ""

    def on_event(self, event: Event) -> None:
        """Count `event`, and show it now or soon."""
        self.progress.apply(event)
        if isinstance(event, SessionEnded):
            self.stop()
            return
        self.start()
        self._update()

    def _update(self) -> None:
        wait = self._updated + _SECONDS_BETWEEN_UPDATES - self._clock.monotonic()
        with self._lock:
            if wait <= 0:
                self._draw(again=True)
            elif self._late is None:
                # The last of a burst of events must not stay unseen until the next epoch ends.
                self._late = threading.Timer(wait, self._draw_late)
                self._late.daemon = True
                self._late.start()

    def _draw_late(self) -> None:
        with self._lock:
            if self._late is not None and self._identity:
                self._draw(again=True)

    def _draw(self, *, again: bool) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
        self._updated = self._clock.monotonic()
        look = self.progress.snapshot()
        bundle = {"text/html": search_html(look), "text/plain": "\n".join(closing_lines(look))}
        self._show(bundle, self._identity, again)


def _show_in_ipython(bundle: Mapping[str, str], identity: str, again: bool) -> None:
    import_module("IPython.display").display(dict(bundle), raw=True, display_id=identity, update=again)


def _first(history: History, most: int) -> list[Trial]:
    return best_first(history.trials, history.objective)[:most]


def _frame(parts: Sequence[str]) -> str:
    return f'<div style="color:inherit;font-size:.95em;line-height:1.5">{"".join(parts)}</div>'


def _head(title: str, facts: str) -> str:
    return f'<div><b>{escape(title)}</b> <span style="{_DIM}">{escape(facts)}</span></div>'


def _best_html(best: Trial, defaults: Values | None) -> str:
    score = escape(format_score(best.score, best.spread))
    return f"<div>best <b>{score}</b> (trial {best.number}) {escape(format_values(best.values, defaults))}</div>"


def _table_html(columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[str]]) -> str:
    """Set escaped `rows` under `columns`: pairs of a title and the style of its cells."""
    head = "".join(f'<th style="{style};{_DIM};font-weight:normal">{escape(title)}</th>' for title, style in columns)
    body = "".join(
        "<tr>" + "".join(f'<td style="{s}">{escape(c)}</td>' for c, (_, s) in zip(row, columns, strict=True)) + "</tr>"
        for row in rows
    )
    return (
        '<table style="border-collapse:collapse;background:transparent;color:inherit;margin:.4em 0">'
        f'<tr style="background:transparent">{head}</tr>{body}</table>'
    )


def _values_html(values: Values) -> str:
    rows = [(name, format_value(value)) for name, value in values.items()]
    return _table_html([("hyperparameter", _CELL), ("value", _NUMBER)], rows)


def _members_html(members: Sequence[MemberRecord]) -> str:
    columns = [("member", _CELL), ("state", _CELL), ("epochs", _NUMBER), ("best", _NUMBER), ("curve", _CELL)]
    columns += [("time", _NUMBER), ("memory", _NUMBER)]
    rows = (
        (
            f"seed {m.key.seed}, fold {m.key.fold}" + (" (confirm)" if m.purpose == "confirm" else ""),
            str(m.state) + (f" ({m.cause})" if m.cause else ""),
            f"{m.epoch}/{m.length}",
            format_score(m.score),
            sparkline(m.curve, 20),
            format_seconds(m.seconds),
            format_bytes(m.memory_bytes),
        )
        for m in members
    )
    return _table_html(columns, rows)


def _trials_html(trials: Sequence[Trial], objective: str, defaults: Values | None) -> str:
    columns = [("trial", _NUMBER), ("state", _CELL), (objective, _NUMBER), ("curve", _CELL), ("epochs", _NUMBER)]
    columns += [("time", _NUMBER), ("values" if defaults is None else "unlike the defaults", _WIDE_CELL)]
    rows = (
        (
            str(t.number),
            str(t.state) + (f" ({t.cause})" if t.cause else ""),
            format_score(t.score, t.spread),
            sparkline(t.members[0].curve if t.members else (), 16),
            str(t.epochs),
            format_seconds(t.seconds),
            first_line(t.message) if t.state is State.FAILED and t.message else format_values(t.values, defaults),
        )
        for t in trials
    )
    return _table_html(columns, rows)


def _active_html(active: Sequence[Active], defaults: Values | None) -> str:
    columns = [("in work", _NUMBER), ("", _CELL), ("epoch", _NUMBER), ("metric", _NUMBER), ("curve", _CELL)]
    columns += [("time", _NUMBER), ("values" if defaults is None else "unlike the defaults", _WIDE_CELL)]
    rows = [
        (
            m.label,
            m.stage,
            f"{m.epoch}/{m.until}",
            format_score(m.metric),
            sparkline(m.curve, 16),
            format_seconds(m.seconds),
            format_values(m.values, defaults),
        )
        for m in active[:_MOST_ACTIVE]
    ]
    more = len(active) - len(rows)
    note = f'<div style="{_DIM}">and {more} more</div>' if more > 0 else ""
    return _table_html(columns, rows) + note


def _gauge_html(gauge: Gauge) -> str:
    used, limit = f"{gauge.used:,.0f}", f"{gauge.limit or 0:,.0f}"
    if gauge.label == "time":
        used, limit = format_seconds(gauge.used), format_seconds(gauge.limit)
    bar = f'<span style="{_BAR}"><span style="{_FILL};width:{100 * gauge.part:.1f}%"></span></span>'
    label = f'<span style="display:inline-block;width:5em">{escape(gauge.label)}</span>'
    return f"<div>{label} {bar} {used} of {limit}</div>"
