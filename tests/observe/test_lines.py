"""Without a terminal, a search is a header, one line a finished trial, and its result."""

import io
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from dialed.events import Event, Returned
from dialed.observe.lines import Lines, closing_lines
from dialed.observe.progress import BudgetView, Progress
from dialed.search.history import Terms
from dialed.trial import Cause, MemberKey, Outcome, State


def written(lines: Lines, file: io.StringIO, events: Iterable[Event]) -> list[str]:
    for event in events:
        lines.on_event(event)
    return file.getvalue().splitlines()


@pytest.fixture
def lines_of(clock: Any, terms: Terms) -> Callable[..., tuple[Lines, io.StringIO]]:
    def make(terms: Terms = terms, **options: Any) -> tuple[Lines, io.StringIO]:
        file = io.StringIO()
        return Lines(file, terms=terms, clock=clock, name="mnist", **options), file

    return make


def test_a_search_reads_as_header_trials_and_result(lines_of: Any, story: Any) -> None:
    lines, file = lines_of()
    values = {"units": 64}
    events = [
        *story.completed(0, values, score=0.9),
        *story.completed(1, {**values, "activation": "tanh"}, score=0.95),
        story.start(2, {"units": 32, "rate": 0.5}),
        story.failed(2),
        story.end(),
    ]
    assert written(lines, file, events) == [
        "mnist: val_accuracy, higher is better; at most 4 trials, 12 epochs, 3 epochs each",
        "trial 0  completed  val_accuracy 0.9000  best 0.9000 (trial 0)  epochs 3  1.5 s  units=64",
        "trial 1  completed  val_accuracy 0.9500  best 0.9500 (trial 1)  epochs 3  1.5 s  units=64 activation=tanh",
        "trial 2  failed (nan)  The loss is nan.  best 0.9500 (trial 1)  epochs 0  0.0 s  units=32 rate=0.5",
        "mnist: max_trials=3 is reached",
        "  best val_accuracy 0.9500 (trial 1)  units=64 activation=tanh",
        "  3 trials (2 completed, 1 failed: 1 nan), 6 epochs, 12 s",
    ]


def test_a_search_where_all_failed_says_so(lines_of: Any, story: Any) -> None:
    lines, file = lines_of()
    out = written(lines, file, [story.start(0), story.failed(0, Cause.BUILD, "ValueError: no"), story.end()])
    assert out[1].startswith("trial 0  failed (build)  ValueError: no  epochs 0")
    died = "    1 trial (build), the latest trial 0: ValueError: no"
    assert out[-3:] == ["  no trial has a score", died, "  1 trial (1 failed: 1 build), 0 epochs, 12 s"]


def test_a_resumed_search_says_where_it_goes_on_and_repeats_nothing(lines_of: Any, story: Any) -> None:
    lines, file = lines_of(budget=BudgetView(max_seconds=600))
    lines.recall(story.three_trials())
    (header,) = written(lines, file, [story.begin()])
    assert header.endswith("; at most 10 min, 3 epochs each; going on after 3 trials, best 0.9500 (trial 1)")


def test_a_worker_that_died_is_told_with_the_attempt(lines_of: Any, story: Any) -> None:
    lines, file = lines_of()
    lost = Returned(key=MemberKey(0, 0, 0), cause=Cause.KILLED, message="the worker is gone")
    out = written(lines, file, [story.start(0), lost])
    assert out[-1] == "trial 0  again (killed, attempt 1 of 5)  the worker is gone"


def test_the_last_attempt_is_told_as_a_failure(lines_of: Any, story: Any) -> None:
    lines, file = lines_of()
    lost = Returned(key=MemberKey(0, 0, 0), cause=Cause.OUT_OF_MEMORY, message="no memory")
    out = written(lines, file, [story.start(0), lost, lost])
    assert "again (out_of_memory, attempt 1 of 1)" in out[1]
    assert "failed (out_of_memory)  no memory" in out[2]


def test_a_trial_with_repeats_has_one_line_with_its_spread(lines_of: Any, story: Any, terms_of: Any) -> None:
    lines, file = lines_of(terms_of("val_accuracy", "max", epochs=3, seeds=(1, 2)))
    events = [story.start(0, seeds=(1, 2))]
    for seed, score in ((1, 0.9), (2, 0.8)):
        events += [story.report(0, epoch, score, seed=seed) for epoch in (1, 2, 3)] + [story.done(0, seed=seed)]
    header, line = written(lines, file, events)
    assert header.endswith("3 epochs each under 2 seeds")
    assert "val_accuracy 0.8500 ± 0.0707" in line


def test_a_confirmed_trial_has_one_line_when_its_last_fresh_seed_ends(lines_of: Any, story: Any) -> None:
    lines, file = lines_of()
    events = [*story.completed(0, score=0.9), story.judges(0, (7, 8))]
    before = len(written(lines, file, events))
    for seed, score in ((7, 0.88), (8, 0.86)):
        lines.on_event(story.report(0, 3, score, seed=seed))
        lines.on_event(Outcome(key=MemberKey(0, seed, 0), state=State.PAUSED, epoch=3))
    assert file.getvalue().splitlines()[before:] == [
        "trial 0  confirmed  val_accuracy 0.8700  mean of 2 of 2 fresh members"
    ]


def test_words_of_a_user_stay_on_their_line(lines_of: Any, story: Any) -> None:
    lines, file = lines_of()
    out = written(lines, file, [story.start(0, {"note": "a\nb\x1b[2J"}), story.failed(0, Cause.ERROR, "one\x07\ntwo")])
    assert len(out) == 2
    assert "note='a\\nb\\x1b[2J'" in out[1]
    assert "one?" in out[1]


def test_a_narrow_encoding_loses_signs_but_not_the_line(clock: Any, terms: Terms, story: Any) -> None:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii", write_through=True)
    lines = Lines(file, terms=terms, clock=clock, name="große Suche")
    lines.start()
    assert raw.getvalue().startswith(b"gro?e Suche: val_accuracy")


def test_standard_output_is_the_default_even_when_it_is_replaced_later(
    clock: Any, terms: Terms, capsys: pytest.CaptureFixture[str]
) -> None:
    with Lines(terms=terms, clock=clock, name="mnist"):
        pass
    assert capsys.readouterr().out.startswith("mnist: val_accuracy")


def test_the_header_and_the_result_are_written_once(lines_of: Any, story: Any) -> None:
    lines, file = lines_of()
    lines.start()
    out = written(lines, file, [story.begin(), story.end()])
    lines.stop()
    assert file.getvalue().splitlines() == out
    assert sum("higher is better" in line for line in out) == 1


def test_the_result_tells_programs_and_reasons(clock: Any, terms: Terms, story: Any) -> None:
    progress = Progress(terms, clock=clock)
    for number, engine in enumerate(["fused-1", "fit: no arrays"]):
        progress.apply(story.start(number))
        progress.apply(story.built(number, engine=engine))
    told = closing_lines(progress.snapshot())
    assert told[3:] == ["  1 trial as 1 lane of 1 program", "  1 trial by model.fit: no arrays"]
