"""An ensemble of a study: which stored models are averaged, and what that gains on rows that did not choose them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dialed.engine.samples import Samples
from dialed.observe.text import format_count, format_score
from dialed.study.judge import Interval, interval

if TYPE_CHECKING:
    import keras

    from dialed.engine.selection import Choice
    from dialed.study.arguments import Prepared
    from dialed.study.results import Results
    from dialed.study.study import Study

__all__ = ["Ensemble", "Selection"]

CANDIDATES = 4
"""For each model that is wanted, so many of the best stored ones are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which trials an ensemble averages, and why.

    `alone` is the objective of the best of them on the validation data, `score` that of the average; both are of the rows
    that chose. `gain` is how much better the average is on rows that did not, with its 95 % interval. All three are `None`
    where no rows judge all trials.
    """

    trials: tuple[int, ...]
    alone: float | None
    score: float | None
    gain: Interval | None

    @property
    def sentence(self) -> str:
        """The answer."""
        named = f"trial {self.trials[0]}" if len(self.trials) == 1 else f"trials {', '.join(map(str, self.trials))}"
        if self.alone is None:
            return f"It averages {named}, the best; what that gains is not known, for no rows judge all of them alike."
        if len(self.trials) == 1:
            return f"No other stored model improves on {named} alone ({format_score(self.alone)})."
        said = f"It averages {named}: {format_score(self.score)}, where trial {self.trials[0]} alone has"
        said += f" {format_score(self.alone)} on the rows that chose."
        if self.gain is None:
            return f"{said} There are too few rows to tell what it gains on others."
        certain = "" if self.gain.low > 0 else ", so it may be chance"
        return (
            f"{said} On rows that did not choose it gains {format_score(self.gain.mean)} (95 % interval "
            f"{format_score(self.gain.low)} to {format_score(self.gain.high)}{certain})."
        )

    def __str__(self) -> str:
        return f"Ensemble of {format_count(len(self.trials), 'model')}. {self.sentence}"


class Ensemble:
    """Makes the ensemble of a study.

    Args:
        study: Its trials.
        prepared: The data, and how the session's code builds and trains a model.
        results: The models of its trials.
    """

    def __init__(self, study: Study, prepared: Prepared, results: Results) -> None:
        self._study = study
        self._prepared = prepared
        self._results = results

    def model(self, most: int) -> keras.Model:
        """The model that averages at most `most` others, with its `selection`."""
        from dialed.engine.ensemble import average

        held_out = self._held_out()
        if held_out is None:
            trials = self._results.trials(most)
            models = [self._results.model(trial) for trial in trials]
            numbers = tuple(trial.number for trial in trials)
            selection = Selection(trials=numbers, alone=None, score=None, gain=None)
        else:
            trials = self._results.stored(CANDIDATES * most)
            models = [self._results.model(trial) for trial in trials]
            choice = self._choice(models, held_out, most)
            models = [models[place] for place in choice.places]
            selection = self._selection(choice, tuple(trials[place].number for place in choice.places))
        made = average(models) if len(models) > 1 else models[0]
        made.selection = selection
        return made

    def _held_out(self) -> Samples | None:
        """The rows that judge every trial alike; `None` where there are none, or each trial may prepare its own."""
        data = self._prepared.data
        judged = None if data.cross_validation else data.fold(0).validation
        own = data.preparation is not None and data.preparation.asks
        if own or not isinstance(judged, tuple) or not self._study.objective.name.startswith("val_"):
            return None
        x, y, weight = (*judged, None)[:3]
        return Samples(x=x, y=y, sample_weight=weight)

    def _choice(self, models: list[keras.Model], held_out: Samples, most: int) -> Choice:
        from dialed.engine.selection import chosen, loss_of

        predictions = [model.predict(held_out.x, verbose=0) for model in models]
        loss = loss_of(models[0], held_out, self._study.objective)
        return chosen(predictions, loss, rows=len(held_out), most=most)

    def _selection(self, choice: Choice, trials: tuple[int, ...]) -> Selection:
        sign = self._study.objective.loss(1.0)
        return Selection(
            trials=trials,
            alone=sign * choice.alone,
            score=sign * choice.together,
            gain=interval(choice.gains, overlap=1 / 4) if len(choice.gains) > 1 else None,
        )
