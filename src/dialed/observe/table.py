"""The picture of a running search for a terminal: a pure function of a `Snapshot` and the room there is.

Colours only repeat what a word or a place says already, and are cyan, yellow and brightness: red and green, which many
people cannot tell apart, are not used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.progress_bar import ProgressBar
from rich.segment import ControlType, Segment
from rich.table import Table
from rich.text import Text

from dialed.observe.estimate import Gauge
from dialed.observe.snapshot import Active, Snapshot
from dialed.observe.text import (
    first_line,
    format_count,
    format_score,
    format_seconds,
    format_values,
    shorten,
    sparkline,
)
from dialed.trial import State, Trial

__all__ = ["Picture"]

_WIDE = 110  # columns from which bars and curves get more room
_STYLE = {"running": "", "starting": "cyan", "waiting": "bright_black", State.FAILED: "yellow"}
_MOST_FINISHED = 5
_MOST_WAYS = 3


class Picture:
    """Draws what `look` returns into whatever room the console has at that moment.

    A terminal that is made narrower breaks the lines of the last picture in two; the next one starts by taking back
    those rows as well, so that nothing of the old one stays behind.

    Args:
        look: Called for the state to draw, each time.
    """

    def __init__(self, look: Callable[[], Snapshot]) -> None:
        self._look = look
        self._width = 0
        self._lengths: list[int] = []
        self._drawn: tuple[object, list[list[Segment]]] | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        # One column stays free: a full line makes some terminals wrap, and the next redraw would miss a row.
        width = max(options.max_width - 1, 20)
        lines = self._lines(console, options.update(width=width))
        if console.is_terminal:
            yield from self._taken_back(options.max_width)
        self._width, self._lengths = options.max_width, [Segment.get_line_length(line) for line in lines]
        for line in lines:
            yield from line
            yield Segment.line()

    def _lines(self, console: Console, options: ConsoleOptions) -> list[list[Segment]]:
        """The picture's lines; those of last time while no event came and the second is the same."""
        look, height = self._look(), options.size.height
        sight = (look.events, int(look.seconds), options.max_width, height)
        if self._drawn is None or self._drawn[0] != sight:
            group = Group(*_draw(look, options.max_width, height))
            lines = [_stripped(line) for line in console.render_lines(group, options, pad=False)]
            self._drawn = (sight, lines)
        return self._drawn[1]

    def _taken_back(self, width: int) -> Iterator[Segment]:
        """What moves the cursor over the rows that broken lines added, and clears from there on."""
        if not self._lengths or width == self._width:
            return
        extra = sum((length - 1) // width for length in self._lengths if length)
        up = f"\x1b[{extra}A" if extra else ""
        yield Segment(f"{up}\x1b[J", None, [(ControlType.CURSOR_UP, extra)])


def _stripped(line: list[Segment]) -> list[Segment]:
    """`line` without the spaces at its end."""
    while line and not line[-1].text.strip():
        line = line[:-1]
    if not line:
        return line
    last = line[-1]
    return [*line[:-1], Segment(last.text.rstrip(), last.style, last.control)]


def _draw(look: Snapshot, width: int, height: int) -> Iterator[RenderableType]:
    yield _title(look, width)
    yield _best(look, width)
    foot = [*_gauges(look, width), _counts(look, width), *_trained(look, width)]
    room = height - 2 - len(foot) - 4  # the table's head, two blank lines, and the prompt's line
    active, finished = _share(look, room)
    if active or finished:
        yield Text("")
        yield _table(look, active, finished, width)
    yield Text("")
    yield from foot


def _share(look: Snapshot, room: int) -> tuple[tuple[Active, ...], tuple[Trial, ...]]:
    """Split the rows between members in work and trials that ended; one row may be taken by "and ... more"."""
    wanted = min(len(look.finished), _MOST_FINISHED)
    finished = max(min(wanted, room - min(len(look.active), max(room * 2 // 3, 1)) - 1), 0)
    rows = max(room - finished - (1 if finished else 0), 1)
    shown = look.active if len(look.active) <= rows else look.active[: max(rows - 1, 1)]
    return shown, look.finished[:finished]


def _title(look: Snapshot, width: int) -> Text:
    better = "higher" if look.objective.direction == "max" else "lower"
    title = Text(first_line(look.name), style="bold", no_wrap=True)
    title.append(f"  {look.objective.name}, {better} is better  {format_seconds(look.seconds)}", style="not bold")
    if look.seconds_left is not None:
        title.append(f"  about {format_seconds(look.seconds_left)} left", style="not bold cyan")
    return _cut(title, width)


def _best(look: Snapshot, width: int) -> Text:
    best = look.best
    if best is None:
        return Text("best  no score yet", style="bright_black")
    line = Text("best  ", no_wrap=True)
    line.append(format_score(best.score, best.spread), style="bold cyan")
    line.append(f"  trial {best.number}  ")
    line.append(format_values(best.values, look.defaults))
    return _cut(line, width)


def _table(look: Snapshot, active: tuple[Active, ...], finished: tuple[Trial, ...], width: int) -> Table:
    bar = 18 if width >= _WIDE else 9
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), width=width, header_style="bright_black")
    table.add_column("trial", justify="right", no_wrap=True)
    table.add_column("", width=bar, no_wrap=True)
    table.add_column("epochs", justify="right", no_wrap=True)
    table.add_column("metric", justify="right", no_wrap=True)
    table.add_column("curve", width=bar - 1, no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("values", ratio=1, no_wrap=True, overflow="ellipsis")
    for member in active:
        table.add_row(*_active_row(member, look, bar), style=_STYLE[member.stage])
    if len(look.active) > len(active):
        table.add_row("", "", "", "", "", "", Text(f"and {len(look.active) - len(active)} more", "bright_black"))
    if active and finished:
        table.add_row()
    for trial in finished:
        table.add_row(*_finished_row(trial, look, bar), style=_STYLE.get(trial.state, "bright_black"))
    return table


def _active_row(member: Active, look: Snapshot, bar: int) -> list[RenderableType]:
    epochs = f"{member.epoch}/{member.until}"
    progress: RenderableType = Text(member.stage)
    if member.stage == "running":
        progress = _bar(member.epoch, member.until, bar)
    return [
        member.label,
        progress,
        epochs,
        format_score(member.metric),
        Text(sparkline(member.curve, bar - 1), style="cyan"),
        format_seconds(member.seconds),
        Text(format_values(member.values, look.defaults)),
    ]


def _finished_row(trial: Trial, look: Snapshot, bar: int) -> list[RenderableType]:
    curve = trial.members[0].curve if trial.members else ()
    text = format_values(trial.values, look.defaults)
    if trial.state is State.FAILED:
        text = f"{trial.cause}: {first_line(trial.message)}".removesuffix(": ")
    return [
        str(trial.number),
        str(trial.state),
        str(trial.epochs),
        format_score(trial.score),
        sparkline(curve, bar - 1),
        format_seconds(trial.seconds),
        Text(text),
    ]


def _bar(used: float, limit: float, width: int) -> ProgressBar:
    return ProgressBar(
        total=max(limit, 1e-9),
        completed=used,
        width=width,
        style="bright_black",
        complete_style="cyan",
        finished_style="cyan",
    )


def _gauges(look: Snapshot, width: int) -> list[RenderableType]:
    rows: list[RenderableType] = []
    for gauge in look.gauges:
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_row(gauge.label.ljust(7), _bar(gauge.part, 1.0, max(width // 3, 10)), _used(gauge))
        rows.append(grid)
    return rows


def _used(gauge: Gauge) -> str:
    if gauge.label == "time":
        return f"{format_seconds(gauge.used)} of {format_seconds(gauge.limit)}"
    return f"{gauge.used:,.0f} of {gauge.limit or 0:,.0f}"


def _counts(look: Snapshot, width: int) -> Text:
    parts = [f"{count} {state}" for state, count in look.counts.items()]
    causes = ", ".join(f"{count} {cause}" for cause, count in look.failures.items())
    text = ", ".join(parts) or "no trial yet"
    line = f"{text}{f' ({causes})' if causes else ''}, {format_count(look.epochs, 'epoch')}"
    if look.returned:
        line += f", {look.returned} trained again"
    if look.workers != 1 and look.ended is None:
        line += f", {format_count(look.workers, 'worker')}"
    return Text(shorten(line, width), no_wrap=True)


def _trained(look: Snapshot, width: int) -> list[RenderableType]:
    """How trials are trained, where that is not one by one as asked; what fell back, with its reasons, on lines below."""
    trained = look.trained
    if not trained.programs and not trained.fallbacks:
        return []
    parts = trained.parts
    shown = parts[:_MOST_WAYS] + ([f"and {len(parts) - _MOST_WAYS} more reasons"] if len(parts) > _MOST_WAYS else [])
    heads = ["trained", *[" " * len("trained")] * (len(shown) - 1)]
    return [
        Text(shorten(f"{head}  {part}", width), style="bright_black", no_wrap=True)
        for head, part in zip(heads, shown, strict=True)
    ]


def _cut(text: Text, width: int) -> Text:
    text.truncate(width, overflow="ellipsis")
    return text
