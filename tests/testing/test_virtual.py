"""Virtual time: what happens, in which order, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from dialed.events import Event, Returned, TrialStopped
from dialed.search import ASHA, Continue, Copy, Decision, Finish, History, Random, Start, Stop, Terms
from dialed.space import Float, Hyperparameter, Space
from dialed.testing import Crew, VirtualTime
from dialed.testing.engines import SteppingClock
from dialed.trial import Cause, MemberKey, Objective, Outcome, Report, State, Values

SPACE = Space([Hyperparameter("x", Float(0.0, 1.0))])
TERMS = Terms(objective=Objective(name="loss", direction="min"), epochs=3)
FOUR = replace(TERMS, max_trials=4)


class Log:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def on_event(self, event: Event) -> None:
        self.events.append(event)


def loss(values: Values) -> float:
    return float(values["x"] or 0.0)


def test_workers_train_at_the_same_time() -> None:
    one = VirtualTime(Random(), SPACE, loss, crew=Crew(workers=1), terms=FOUR).run()
    four = VirtualTime(Random(), SPACE, loss, crew=Crew(workers=4), terms=FOUR).run()
    assert (one.seconds, four.seconds) == (12.0, 3.0)
    assert [t.values for t in one.history.trials] != [t.values for t in four.history.trials]  # decided knowing less
    assert one.utilisation == four.utilisation == 1.0
    assert (four.reports, four.deaths) == (12, 0)


def test_an_epoch_takes_as_long_as_its_values_say() -> None:
    run = VirtualTime(Random(), SPACE, loss, crew=Crew(workers=1), terms=FOUR, seconds=lambda values: 2.0).run()
    assert run.seconds == 24.0
    assert run.history.trials[0].seconds == 6.0


def test_a_straggler_takes_longer() -> None:
    crew = Crew(workers=1, stragglers=1.0, slowness=3.0)
    assert VirtualTime(Random(), SPACE, loss, crew=crew, terms=FOUR).run().seconds == 36.0


def test_a_search_can_be_looked_at_on_the_way() -> None:
    search = VirtualTime(Random(), SPACE, loss, crew=Crew(workers=2), terms=FOUR)
    half = search.run(until=3.5)
    assert (half.seconds, half.reports, half.utilisation) == (3.5, 6, 1.0)
    whole = VirtualTime(Random(), SPACE, loss, crew=Crew(workers=2), terms=FOUR).run()
    assert search.run().history.trials == whole.history.trials


def test_who_dies_is_missed_after_its_lease_and_its_member_is_trained_on_from_its_last_epoch() -> None:
    log = Log()
    crew = Crew(workers=1, deaths_per_hour=400.0, lease_seconds=5.0, absence_seconds=2.0, seed=1)
    run = VirtualTime(Random(), SPACE, loss, crew=crew, terms=FOUR, observers=[log]).run()
    assert run.deaths > 0
    assert sum(isinstance(event, Returned) for event in log.events) > 0
    assert [trial.state for trial in run.history.trials] == [State.COMPLETED] * 4
    told = [(event.key, event.epoch) for event in log.events if isinstance(event, Report)]
    assert len(told) == len(set(told)) == 12, "no epoch is told twice, none is lost"
    assert run.seconds > 12.0


def test_a_member_that_never_comes_to_an_epoch_fails_in_the_end() -> None:
    crew = Crew(workers=1, deaths_per_hour=3600.0, lease_seconds=1.0, absence_seconds=1.0)
    terms = replace(TERMS, max_trials=1)
    run = VirtualTime(Random(), SPACE, loss, crew=crew, terms=terms, seconds=lambda values: 1e4).run()
    assert [(trial.state, trial.cause) for trial in run.history.trials] == [(State.FAILED, Cause.KILLED)]


def test_who_leaves_ends_its_epoch_and_hands_the_member_back() -> None:
    log = Log()
    crew = Crew(workers=2, changes=((1.5, -1), (10.0, 3)))
    run = VirtualTime(Random(), SPACE, loss, crew=crew, terms=FOUR, observers=[log]).run()
    handed_back = [event for event in log.events if isinstance(event, Outcome) and event.epoch == 2]
    assert [(event.key.trial, event.state) for event in handed_back] == [(0, State.PAUSED)]
    assert [trial.state for trial in run.history.trials] == [State.COMPLETED] * 4
    assert not any(isinstance(event, Returned) for event in log.events), "nobody was lost"


def test_who_joins_takes_work_at_once() -> None:
    alone = VirtualTime(Random(), SPACE, loss, crew=Crew(workers=1), terms=FOUR).run()
    joined = VirtualTime(Random(), SPACE, loss, crew=Crew(workers=1, changes=((0.5, 3),)), terms=FOUR).run()
    assert joined.seconds == 3.5 < alone.seconds


def test_a_decision_takes_the_time_that_the_timer_says() -> None:
    run = VirtualTime(Random(), SPACE, loss, crew=Crew(workers=4), terms=FOUR, timer=SteppingClock(step=5.0)).run()
    assert run.seconds == 8.0
    assert run.utilisation == 3 / 8


def test_what_is_stopped_while_it_is_trained_frees_its_worker() -> None:
    class Impatient:
        """Begins two trials, and stops the first as soon as the second ends."""

        def decide(self, space: Space, history: History, rng: np.random.Generator, free: int) -> list[Decision]:
            if len(history) < 2:
                return [Start(values={"x": 0.5 * len(history)}, until=3 - 2 * len(history))]
            states = [trial.state for trial in history.trials]
            if states[1] is State.PAUSED:
                return [Stop(trial=0), Stop(trial=1)]
            return [] if State.WAITING in states else [Finish(reason="done")]

    def seconds(values: Values) -> float:
        return 10.0 if values["x"] == 0.0 else 1.0

    log = Log()
    search = VirtualTime(Impatient(), SPACE, loss, crew=Crew(workers=2), terms=TERMS, seconds=seconds, observers=[log])
    run = search.run()
    assert [event.trial for event in log.events if isinstance(event, TrialStopped)] == [0, 1]
    assert [trial.state for trial in run.history.trials] == [State.STOPPED, State.STOPPED]
    assert (run.seconds, run.busy_seconds) == (1.0, 2.0)


def test_a_failed_member_ends_its_trial() -> None:
    terms = replace(TERMS, seeds=(0, 1, 2), max_trials=1)

    def failing(values: Values) -> float:
        raise RuntimeError("no")

    run = VirtualTime(Random(), SPACE, failing, crew=Crew(workers=1), terms=terms).run()
    assert [member.state for member in run.history.trials[0].members] == [State.FAILED, State.STOPPED, State.STOPPED]
    assert run.history.trials[0].message == "RuntimeError: no"


@pytest.mark.parametrize(
    ("measured", "state", "epochs"),
    [
        ([3.0, 2.0], State.COMPLETED, 2),
        ([1.0, float("nan")], State.FAILED, 1),
        ({"loss": 1.0, "size": 2.0}, State.COMPLETED, 3),
    ],
)
def test_a_function_may_tell_a_curve_or_all_metrics(measured: Sequence[float], state: State, epochs: int) -> None:
    terms = replace(TERMS, max_trials=1)
    run = VirtualTime(Random(), SPACE, lambda values: measured, crew=Crew(workers=1), terms=terms).run()
    assert (run.history.trials[0].state, run.history.trials[0].epochs) == (state, epochs)


class Doubling:
    """A loss that each epoch multiplies by `x`: its state is the loss."""

    def begin(self, values: Values, seed: int) -> float:
        return 1.0

    def epoch(self, state: float, values: Values) -> tuple[float, float]:
        return state * float(values["x"] or 0), state * float(values["x"] or 0)


def test_a_copy_goes_on_from_the_state_of_its_source() -> None:
    class Copying:
        def decide(self, space: Space, history: History, rng: np.random.Generator, free: int) -> list[Decision]:
            if len(history) < 2:
                return [Start(values={"x": 0.5 + 0.25 * len(history)}, until=1)]
            if len(history) == 2 and not history.is_busy:
                return [Copy(source=0, target=1, values={"x": 1.0}, until=2), Continue(trial=0, until=3)]
            rests = [trial for trial in history.trials if trial.state is State.PAUSED]
            return [Continue(trial=rests[0].number, until=3)] if rests else []

    run = VirtualTime(Copying(), SPACE, Doubling(), crew=Crew(workers=2), terms=replace(TERMS, max_trials=2)).run()
    assert [trial.members[0].curve for trial in run.history.trials] == [(0.5, 0.25, 0.125), (0.75,), (0.5, 0.5, 0.5)]


def test_the_events_make_the_history() -> None:
    log = Log()
    crew = Crew(workers=7, stragglers=0.3, jitter=0.3, deaths_per_hour=100.0, changes=((2.0, -3), (9.0, 5)))
    terms = replace(TERMS, epochs=9, max_trials=60)
    run = VirtualTime(ASHA(), SPACE, loss, crew=crew, terms=terms, observers=[log]).run()
    assert History(terms, log.events).trials == run.history.trials
    assert run.history.member(MemberKey(0, 0, 0)).state.finished
