"""The live table shows what happens, fits its terminal, and gives it back."""

import io
import os
import pty
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from dialed.clock import SystemClock
from dialed.events import Event
from dialed.observe.progress import BudgetView, Progress
from dialed.observe.table import Picture
from dialed.observe.terminal import LiveTable
from dialed.search.history import Terms
from dialed.trial import Cause, Objective

HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"


def drawn(progress: Progress, *, width: int = 80, height: int = 30) -> str:
    """The picture as plain text."""
    console = Console(file=io.StringIO(), width=width, height=height, color_system=None)
    console.print(Picture(progress.snapshot))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.fixture
def seen(terms: Terms, clock: Any) -> Callable[[Iterable[Event]], Progress]:
    def make(events: Iterable[Event]) -> Progress:
        budget = BudgetView(max_trials=4, max_epochs=12, max_seconds=60)
        progress = Progress(terms, clock=clock, budget=budget, name="mnist")
        for event in events:
            progress.apply(event)
        return progress

    return make


def test_everything_has_its_place(seen: Any, story: Any, clock: Any) -> None:
    progress = seen([*story.three_trials()[:-1], story.start(3, {"units": 32}), story.report(3, 1, 0.5)])
    clock.seconds += 15
    progress.apply(story.report(3, 2, 0.75))
    assert drawn(progress).splitlines() == [
        "mnist  val_accuracy, higher is better  15 s  about 1.4 s left",
        "best  0.9500  trial 1  learning_rate=0.0031 activation=tanh",
        "",
        "trial           epochs metric curve     time values",
        "    3 ━━━━━━       2/3 0.7500 ▁█       1.0 s units=32",
        "",
        "    2 failed         0      -          0.0 s nan: The loss is nan.",
        "    1 completed      3 0.9500 ▁▅█      1.5 s learning_rate=0.0031 activation=t…",
        "    0 completed      3 0.9000 ▁▅█      1.5 s defaults",
        "",
        "trials   ━━━━━━━━━━━━━━━━━━━╸        3 of 4",
        "epochs   ━━━━━━━━━━━━━━━━━           8 of 12",
        "time     ━━━━━━╸                     15 s of 1 min",
        "1 running, 2 completed, 1 failed (1 nan), 8 epochs",
    ]


def test_a_search_that_just_began_says_so(seen: Any, story: Any) -> None:
    picture = drawn(seen([story.begin()]))
    assert "no score yet" in picture
    assert "no trial yet, 0 epochs" in picture


def test_a_lower_objective_is_said_to_be_better(clock: Any, terms_of: Any) -> None:
    assert "val_loss, lower is better" in drawn(Progress(terms_of(), clock=clock))


def test_members_that_start_or_wait_are_told_apart_by_words(seen: Any, story: Any) -> None:
    picture = drawn(seen([story.start(0), story.built(0), story.start(1)]))
    assert "    0 starting     0/3" in picture
    assert "    1 waiting      0/3" in picture


def test_how_trials_are_trained_and_why_not_otherwise_is_told(seen: Any, story: Any) -> None:
    engines = ["fused-1", "fused-1", "fused-2", "fit: a callback of its own", "fit: a generator"]
    events = [e for i, engine in enumerate(engines) for e in (story.start(i), story.built(i, engine=engine))]
    picture = drawn(seen(events))
    assert "trained  3 trials as 3 lanes of 2 programs\n" in picture
    assert "         1 trial by model.fit: a callback of its own\n" in picture
    assert "         1 trial by model.fit: a generator" in picture
    assert "trained" not in drawn(seen([story.start(0), story.built(0)]))


def test_many_reasons_are_counted_in_the_picture(seen: Any, story: Any) -> None:
    events = [e for i in range(6) for e in (story.start(i), story.built(i, engine=f"fit: reason {i}"))]
    picture = drawn(seen(events))
    assert "reason 2" in picture and "reason 3" not in picture
    assert "and 3 more reasons" in picture


@settings(max_examples=40)
@given(
    width=st.integers(min_value=40, max_value=200),
    height=st.integers(min_value=16, max_value=60),
    trials=st.integers(min_value=0, max_value=40),
    working=st.integers(min_value=0, max_value=40),
)
def test_the_picture_fits_whatever_the_terminal(width: int, height: int, trials: int, working: int) -> None:
    """No line is longer than the terminal is wide, and a line is left for the prompt."""
    picture = drawn(many(trials, working), width=width, height=height).splitlines()
    assert max(len(line) for line in picture) < width
    assert len(picture) < height


def many(trials: int, working: int) -> Progress:
    from dialed.events import Built, TrialStarted
    from dialed.trial import MemberKey, Outcome, Report, State

    objective = Objective(name="val_sparse_categorical_accuracy", direction="max")
    terms = Terms(objective=objective, epochs=1, max_trials=99, max_epochs=99)
    progress = Progress(terms, clock=SystemClock(), name="a study with a name that goes on and on " * 3)
    for number in range(trials + working):
        values = {f"hyperparameter_{i}": number * 1.1 for i in range(12)}
        events: list[Event] = [TrialStarted(trial=number, values=values, until=1, epochs=1, seeds=(0,))]
        events.append(Built(trial=number, values=values, engine=f"fit: reason {number % 7}"))
        key = MemberKey(number, 0, 0)
        if number < trials:
            metrics = {objective.name: 0.5}
            failed = Outcome(key=key, state=State.FAILED, epoch=0, cause=Cause.ERROR, message="why " * 50)
            ended = Outcome(key=key, state=State.PAUSED, epoch=1)
            events += [Report(key=key, epoch=1, metrics=metrics), failed if number % 3 == 0 else ended]
        for event in events:
            progress.apply(event)
    return progress


def test_members_that_do_not_fit_are_counted() -> None:
    picture = drawn(many(0, 40), height=24)
    shown = picture.count(" starting ")
    assert f"and {40 - shown} more" in picture


def test_values_cannot_draw_or_format(seen: Any, story: Any) -> None:
    """Markup of the drawing library and control characters of a terminal are written as they are."""
    values = {"note": "[red]hot[/red]", "name": "\x1b[2J", "smile": ":smile:"}
    picture = drawn(seen([*story.completed(0, score=0.9), *story.completed(1, values, score=0.95)]), width=140)
    assert "note=[red]hot[/red] name='\\x1b[2J' smile=:smile:" in picture


def test_nothing_is_drawn_anew_while_nothing_happens(seen: Any, story: Any, clock: Any) -> None:
    progress = seen([story.start(0)])
    picture = Picture(progress.snapshot)
    console = Console(file=io.StringIO(), width=80, height=24)
    options = console.options
    first = picture._lines(console, options)
    clock.seconds += 0.4
    assert picture._lines(console, options) is first
    clock.seconds += 1
    second = picture._lines(console, options)
    assert second is not first
    progress.apply(story.report(0, 1, 0.5))
    assert picture._lines(console, options) is not second


def test_a_narrower_terminal_takes_back_the_rows_that_broke(seen: Any, story: Any) -> None:
    picture = Picture(seen([*story.completed(0, score=0.9)]).snapshot)
    wide = Console(file=io.StringIO(), width=100, height=24, force_terminal=True, color_system=None)
    wide.print(picture)
    longest = [len(line) for line in wide.file.getvalue().splitlines()]  # type: ignore[attr-defined]
    narrow = Console(file=io.StringIO(), width=40, height=24, force_terminal=True, color_system=None)
    narrow.print(picture)
    broken = sum((length - 1) // 40 for length in longest if length)
    assert broken > 0
    assert narrow.file.getvalue().startswith(f"\x1b[{broken}A\x1b[J")  # type: ignore[attr-defined]


def table(terms: Terms, clock: Any) -> tuple[LiveTable, io.StringIO]:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=100, height=30, color_system="standard")
    return LiveTable(console, terms=terms, clock=clock, name="mnist", refreshes_per_second=10), file


def test_the_table_begins_with_the_search_and_leaves_the_result(terms: Terms, clock: Any, story: Any) -> None:
    live, file = table(terms, clock)
    *events, end = story.three_trials()
    for event in events:
        live.on_event(event)
    assert HIDE_CURSOR in file.getvalue()
    live.on_event(end)
    tail = file.getvalue().split(SHOW_CURSOR)[-1]
    assert "mnist: max_trials=3 is reached" in tail
    assert "best val_accuracy 0.9500 (trial 1)" in tail
    assert "3 trials (2 completed, 1 failed: 1 nan), 6 epochs, 12 s" in tail


def test_events_are_shown_by_the_drawing_thread(terms: Terms, clock: Any, story: Any) -> None:
    live, file = table(terms, clock)
    with live:
        live.on_event(story.start(1, {"units": 4321}))
        deadline = time.monotonic() + 10
        while "units=4321" not in file.getvalue() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert "units=4321" in file.getvalue()


def test_a_second_search_gets_a_table_of_its_own(terms: Terms, clock: Any, story: Any) -> None:
    live, file = table(terms, clock)
    for event in [*story.three_trials(), story.begin(), story.end("confirmed")]:
        live.on_event(event)
    assert file.getvalue().count(HIDE_CURSOR) == file.getvalue().count(SHOW_CURSOR) == 2
    assert "mnist: confirmed" in file.getvalue()


def test_the_terminal_is_given_back_when_the_search_raises(terms: Terms, clock: Any, story: Any) -> None:
    live, file = table(terms, clock)
    stdout = sys.stdout
    with pytest.raises(KeyboardInterrupt), live:
        live.on_event(story.start(0))
        raise KeyboardInterrupt
    assert SHOW_CURSOR in file.getvalue()
    assert sys.stdout is stdout
    live.stop()  # a second time does nothing


SEARCH = """
    import time
    from dialed.clock import SystemClock
    from dialed.events import SessionStarted
    from dialed.observe.terminal import LiveTable
    from dialed.search.history import Terms
    from dialed.trial import Objective

    live = LiveTable(terms=Terms(objective=Objective(name="loss", direction="min")), clock=SystemClock())
    live.on_event(SessionStarted(worker="here", settings={}))
    print("ready", flush=True)
    time.sleep(60)
"""


def test_ctrl_c_shows_the_cursor_again_on_a_real_terminal(tmp_path: Path) -> None:
    """Even where nobody stops the table: the process that ends does it."""
    leader, follower = pty.openpty()
    script = tmp_path / "search.py"
    script.write_text(textwrap.dedent(SEARCH))
    environment = {**os.environ, "TERM": "xterm", "PYTHONPATH": os.pathsep.join(sys.path), "KERAS_BACKEND": "jax"}
    process = subprocess.Popen([sys.executable, script], stdout=follower, stderr=follower, env=environment)
    os.close(follower)
    shown = read_until(leader, b"ready")
    process.send_signal(signal.SIGINT)
    shown += read_until(leader, SHOW_CURSOR.encode())
    process.wait(timeout=10)
    os.close(leader)
    assert HIDE_CURSOR.encode() in shown
    assert shown.rindex(SHOW_CURSOR.encode()) > shown.rindex(HIDE_CURSOR.encode())


def read_until(leader: int, mark: bytes) -> bytes:
    """What the terminal shows up to `mark`; all of it when the process ends before."""
    shown = b""
    while mark not in shown:
        try:
            piece = os.read(leader, 65536)
        except OSError:  # the process closed its end
            break
        if not piece:
            break
        shown += piece
    return shown
