"""Event sequences as a real search makes them."""

from collections.abc import Callable, Iterator, Sequence

import pytest

from dialed.events import Built, Event, MembersAdded, SessionEnded, SessionStarted, TrialStarted
from dialed.search.history import Terms
from dialed.trial import Cause, MemberKey, Objective, Outcome, Purpose, Report, State, Value, Values

DEFAULTS: dict[str, Value] = {"learning_rate": 1e-3, "units": 64, "activation": "relu"}


class ManualClock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> float:
        return self.seconds

    def monotonic(self) -> float:
        return self.seconds


class Story:
    """Writes the events of trials, as an engine and a session would."""

    def __init__(self, *, epochs: int = 3, objective: str = "val_accuracy") -> None:
        self.epochs = epochs
        self.objective = objective

    def begin(self) -> Event:
        return SessionStarted(worker="here", settings={})

    def end(self, reason: str = "max_trials=3 is reached", *, seconds: float = 12.0) -> Event:
        return SessionEnded(reason=reason, finished=True, seconds=seconds)

    def start(self, trial: int, values: Values | None = None, *, seeds: Sequence[int] = (0,)) -> Event:
        return TrialStarted(
            trial=trial,
            values=DEFAULTS if values is None else values,
            until=self.epochs,
            epochs=self.epochs,
            seeds=tuple(seeds),
            source="default" if trial == 0 else "strategy",
        )

    def built(self, trial: int, values: Values | None = None, *, engine: str = "fit") -> Event:
        return Built(trial=trial, values=DEFAULTS if values is None else values, parameters=1234, engine=engine)

    def report(self, trial: int, epoch: int, value: float, *, seed: int = 0) -> Event:
        return Report(key=MemberKey(trial, seed, 0), epoch=epoch, metrics={self.objective: value}, seconds=0.5)

    def done(self, trial: int, *, seed: int = 0) -> Event:
        return Outcome(key=MemberKey(trial, seed, 0), state=State.PAUSED, epoch=self.epochs)

    def failed(self, trial: int, cause: Cause = Cause.NAN, message: str = "The loss is nan.\nat step 7") -> Event:
        return Outcome(key=MemberKey(trial, 0, 0), state=State.FAILED, epoch=0, cause=cause, message=message)

    def judges(self, trial: int, seeds: Sequence[int], *, purpose: Purpose = "confirm") -> Event:
        return MembersAdded(trial=trial, until=self.epochs, seeds=tuple(seeds), purpose=purpose)

    def completed(self, trial: int, values: Values | None = None, *, score: float) -> Iterator[Event]:
        """A trial from its start to its end; its last epoch has `score`."""
        yield self.start(trial, values)
        yield self.built(trial, values)
        for epoch in range(1, self.epochs + 1):
            yield self.report(trial, epoch, score - 0.01 * (self.epochs - epoch))
        yield self.done(trial)

    def three_trials(self) -> list[Event]:
        """The defaults, a better trial, and one that failed."""
        return [
            self.begin(),
            *self.completed(0, score=0.9),
            *self.completed(1, {"learning_rate": 0.0031, "units": 64, "activation": "tanh"}, score=0.95),
            self.start(2, {"learning_rate": 0.5, "units": 32, "activation": "relu"}),
            self.failed(2),
            self.end(),
        ]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def story() -> Story:
    return Story()


@pytest.fixture
def terms() -> Terms:
    return Terms(objective=Objective(name="val_accuracy", direction="max"), epochs=3, max_trials=4, max_epochs=12)


@pytest.fixture
def terms_of() -> Callable[..., Terms]:
    """Terms with another objective, direction or budget."""

    def make(name: str = "val_loss", direction: str = "min", **settings: int) -> Terms:
        return Terms(objective=Objective(name=name, direction="min" if direction == "min" else "max"), **settings)

    return make
