"""A notebook shows a study without a script of any kind, and one output follows a running search."""

import time
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from typing import Any

import pytest

from dialed.observe.notebook import NotebookDisplay, search_html, study_html, trial_html
from dialed.observe.progress import BudgetView, Progress
from dialed.search.history import History, Terms

EVIL = "<script>alert('x')</script>"
VOID = {"br"}


class Page(HTMLParser):
    """Collects the tags, attributes and texts of a page, and checks that every tag is closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open, f"not closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += f"{data} "


@pytest.fixture
def history(terms: Terms, story: Any) -> History:
    events = [*story.three_trials()[:-1], story.start(3, {"note": EVIL}), story.failed(3, message=EVIL), story.end()]
    return History(terms, events)


def pages(history: History, clock: Any, story: Any) -> list[str]:
    """Every kind of page there is, each with hostile words in every place a user can write to."""
    progress = Progress(history.terms, clock=clock, budget=BudgetView(max_trials=9, max_seconds=60), name=EVIL)
    for event in [story.begin(), *story.completed(0, {"note": EVIL, EVIL: 1}, score=0.9), story.start(1, {EVIL: EVIL})]:
        progress.apply(event)
    running = search_html(progress.snapshot())
    progress.apply(story.failed(1, message=EVIL))
    progress.apply(story.end(EVIL))
    return [*map(trial_html, history.trials), study_html(history, EVIL), running, search_html(progress.snapshot())]


def test_nothing_that_a_user_wrote_becomes_markup(history: History, clock: Any, story: Any) -> None:
    for html in pages(history, clock, story):
        page = Page(html)
        assert set(page.tags) <= {"div", "span", "b", "pre", "table", "tr", "th", "td"}
        assert set(page.attributes) <= {"style"}


def test_hostile_words_are_shown_as_they_are(history: History) -> None:
    assert EVIL in Page(study_html(history, EVIL)).text
    assert EVIL in Page(trial_html(history.trial(3))).text


def test_colours_follow_the_page(history: History, clock: Any, story: Any) -> None:
    """Text and background are the page's own, so that a dark theme stays readable."""
    for html in pages(history, clock, story):
        assert "color:inherit" in html
        assert "background:white" not in html
        assert "color:black" not in html


def test_a_trial_tells_its_score_its_values_and_its_members(history: History) -> None:
    text = Page(trial_html(history.trial(1))).text
    for part in ("Trial 1", "completed", "score 0.9500", "1,234 parameters", "learning_rate", "0.0031", "3/3", "▁▅█"):
        assert part in text


def test_a_failed_trial_tells_its_cause_and_its_whole_message(history: History) -> None:
    text = Page(trial_html(history.trial(2))).text
    assert "failed (nan)" in text
    assert "The loss is nan.\nat step 7" in text


def test_a_trial_shows_itself(history: History) -> None:
    assert history.trial(1)._repr_html_() == trial_html(history.trial(1))


def test_a_study_lists_its_best_trials_first(history: History) -> None:
    text = Page(study_html(history, "mnist")).text
    assert "val_accuracy, higher is better; 4 trials, 6 epochs" in text
    assert "best  0.9500  (trial 1) learning_rate=0.0031 activation=tanh" in text
    assert text.index("0.9500", text.index("state")) < text.index("0.9000") < text.index("failed (nan)")


def test_a_long_study_is_cut_and_says_so(history: History) -> None:
    assert "and 3 more trials" in Page(study_html(history, "mnist", most=1)).text


def test_an_empty_study_can_be_shown(terms: Terms) -> None:
    assert "0 trials" in Page(study_html(History(terms), "mnist")).text


def test_a_running_search_shows_members_budget_and_time(terms: Terms, clock: Any, story: Any) -> None:
    progress = Progress(terms, clock=clock, budget=BudgetView(max_trials=4, max_seconds=60), name="mnist")
    for event in [story.begin(), *story.completed(0, score=0.9), story.start(1), story.report(1, 1, 0.8)]:
        progress.apply(event)
    clock.seconds += 12
    text = Page(search_html(progress.snapshot())).text
    for part in ("running", "1/3", "0.8000", "1 of 4", "12 s of 1 min", "about 24 s left"):
        assert part in text


class Screen:
    """Takes what would go to a notebook."""

    def __init__(self) -> None:
        self.shown: list[tuple[Mapping[str, str], str, bool]] = []

    def __call__(self, bundle: Mapping[str, str], identity: str, again: bool) -> None:
        self.shown.append((bundle, identity, again))

    @property
    def again(self) -> list[bool]:
        return [again for _, _, again in self.shown]


@pytest.fixture
def notebook(terms: Terms, clock: Any) -> Callable[[], tuple[NotebookDisplay, Screen]]:
    def make() -> tuple[NotebookDisplay, Screen]:
        screen = Screen()
        return NotebookDisplay(terms=terms, clock=clock, name="mnist", show=screen), screen

    return make


def test_a_search_is_one_output_that_ends_with_the_result(notebook: Any, story: Any) -> None:
    display, screen = notebook()
    for event in story.three_trials():
        display.on_event(event)
    assert screen.again[0] is False
    assert all(screen.again[1:])
    assert len({identity for _, identity, _ in screen.shown}) == 1
    bundle, _, _ = screen.shown[-1]
    assert "max_trials=3 is reached" in bundle["text/html"]
    assert "best val_accuracy 0.9500 (trial 1)" in bundle["text/plain"]


def test_many_events_make_few_outputs(notebook: Any, story: Any, clock: Any) -> None:
    display, screen = notebook()
    display.on_event(story.begin())
    for number in range(100):
        for event in story.completed(number, score=0.9):
            display.on_event(event)
    assert len(screen.shown) < 5
    clock.seconds += 1
    display.on_event(story.start(100))
    assert "101 trials" in screen.shown[-1][0]["text/html"]
    display.stop()


def test_the_last_of_a_burst_is_shown_without_another_event(notebook: Any, story: Any) -> None:
    display, screen = notebook()
    for event in [story.begin(), *story.completed(0, score=0.9)]:
        display.on_event(event)
    assert len(screen.shown) == 1
    deadline = time.monotonic() + 10
    while len(screen.shown) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert "0.9000" in screen.shown[-1][0]["text/html"]
    display.stop()


def test_a_second_search_is_a_second_output(notebook: Any, story: Any) -> None:
    display, screen = notebook()
    for event in [story.begin(), story.end(), story.begin(), story.end()]:
        display.on_event(event)
    assert screen.again == [False, True, False, True]


def test_ipython_shows_it(terms: Terms, clock: Any, story: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Outside a kernel, IPython prints the plain text of the bundle."""
    pytest.importorskip("IPython")
    display = NotebookDisplay(terms=terms, clock=clock, name="mnist")
    for event in story.three_trials():
        display.on_event(event)
    assert "best val_accuracy 0.9500 (trial 1)" in capsys.readouterr().out


def test_how_trials_are_trained_is_told(terms, clock, story):
    progress = Progress(terms, clock=clock)
    for number, engine in enumerate(["fused-1", "fused-1", "fit: no <arrays>"]):
        progress.apply(story.start(number))
        progress.apply(story.built(number, engine=engine))
    text = Page(search_html(progress.snapshot())).text
    assert "2 trials as 2 lanes of 1 program" in text
    assert "1 trial by model.fit: no <arrays>" in text
