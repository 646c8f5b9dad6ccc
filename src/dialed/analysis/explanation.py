"""Which change made the difference: the path from a baseline to the winner, retrained one change at a time.

Each configuration on the path is trained under the same fresh seeds, none of which chose anything. So each step has a
paired effect, an interval and a p-value; and the first configuration that cannot be told from the winner is the simplest
one on the path.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dialed.analysis.paired import LEVEL, holm, least_p, seeds_needed, sign_flip_p
from dialed.analysis.path import Change, path_between
from dialed.analysis.table import Table, frame_of, page
from dialed.errors import InvalidInputError, SpaceError, StudyError
from dialed.observe.text import format_count, format_score, format_value
from dialed.search.model.layout import Array
from dialed.space import Space
from dialed.study.confirm import Interval, interval
from dialed.trial import Objective, State, Trial, Value, Values

if TYPE_CHECKING:
    import pandas as pd

    from dialed.study.study import Study
    from dialed.study.tuner import Tuner

__all__ = ["Explanation", "Step", "explain", "explanation_of", "explanations_of", "recorded_explanation", "seeds_for"]

_LONG = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change on the way, and what it brought.

    `effect` is the paired gain over the configuration before it, positive when it is better, with its 95 % interval;
    `None` where one of the two failed. `p_value` is exact for the seeds there are, `adjusted` is Holm's correction of
    it for all steps.
    """

    name: str
    before: Value
    after: Value
    effect: Interval | None
    p_value: float
    adjusted: float

    @property
    def significant(self) -> bool:
        """Whether the effect is told from none at the 5 % level, all steps taken together."""
        return self.adjusted < LEVEL


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Which change made the difference.

    Attributes:
        study: The study, and `retrained` the one that holds the trainings of the path.
        winner: The number of the trial at the end of the path.
        configurations: The values at each place of the path, the baseline first.
        scores: For each configuration its objective under each seed (the mean over folds); empty where it failed.
        steps: One for each change, in the order of the path.
        total: The winner's paired gain over the baseline; `None` where one of them failed.
        simplest: The place of the first configuration that is not distinguishable from the winner.
        sentences: The answer.
    """

    study: str
    retrained: str
    winner: int
    configurations: tuple[dict[str, Value], ...]
    scores: tuple[tuple[float, ...], ...]
    steps: tuple[Step, ...]
    total: Interval | None
    simplest: int
    sentences: tuple[str, ...]

    @property
    def simplest_values(self) -> dict[str, Value]:
        """The values of the simplest configuration that is not distinguishable from the winner."""
        return dict(self.configurations[self.simplest])

    @property
    def table(self) -> Table:
        """One row for each step."""
        rows = [("", "the baseline", "", _mean(self.scores[0]), "", "", "")]
        for place, step in enumerate(self.steps, start=1):
            change = f"{format_value(step.before)} -> {format_value(step.after)}"
            mark = "*" if step.significant else ""
            shown = ("failed", "") if step.effect is None else (_signed(step.effect.mean), _range(step.effect))
            rows.append((mark, step.name, change, _mean(self.scores[place]), *shown, f"{step.adjusted:.3g}"))
        head = ("", "change", "", "score", "effect", "95 % interval", "p (Holm)")
        return Table(head=head, rows=tuple(rows), align="lllrrrr")

    def to_pandas(self) -> pd.DataFrame:
        """One row for each step: name, before, after, effect, low, high, p_value, adjusted."""
        names = ("name", "before", "after", "effect", "low", "high", "p_value", "adjusted")
        return frame_of([_row(step) for step in self.steps], names)

    def __str__(self) -> str:
        head = f"From the baseline to trial {self.winner} of {self.study}"
        return "\n".join([head, self.table.text(width=100), *(f"- {sentence}" for sentence in self.sentences)])

    def _repr_html_(self) -> str:
        return page(f"From the baseline to trial {self.winner} of {self.study}", [self.table, *self.sentences])


def explain(tuner: Tuner, baseline: str | int | Trial | Mapping[str, Any], *, repeats: int) -> Explanation:
    """Train the path from `baseline` to the winner under `repeats` fresh seeds, and say what each step brought.

    The trainings are a study of their own, named after this one; when they were interrupted, they go on there.

    Raises:
        SpaceError: A value of the `baseline` lies outside the space.
        InvalidInputError: `baseline` is something else, or the winner itself.
        StudyError: There is no winner yet.
    """
    study = tuner.study
    winner, space = study.winner, study.space
    if winner is None:
        raise StudyError(f"The study '{study.name}' has no winner to explain yet. Give the search more of a budget.")
    start = _baseline(study, space, baseline)
    goal = space.restrict(winner.values)
    if space.key(start) == space.key(goal):
        raise InvalidInputError(
            f"The `baseline` must differ from the winner, trial {winner.number}. Got the same values: nothing that was "
            "tried is better than them, so there is no change to explain."
        )
    name = f"{study.name}-explained-{_digest(start, goal, repeats)}"
    changes = _recorded_path(tuner, name) or path_between(study.record, space, start, goal)
    configurations = [start, *(dict(change.values) for change in changes)]
    path = [asdict(change) for change in changes]
    notes = {"explains": study.name, "winner": winner.number, "start": start, "path": path}
    return recorded_explanation(tuner.retrain(configurations, seeds=seeds_for(study, repeats), name=name, notes=notes))


def recorded_explanation(retrained: Study) -> Explanation:
    """What the study beside another one, which `explain` made, says of it.

    Raises:
        InvalidInputError: `retrained` is another study.
    """
    notes = retrained.settings
    if "explains" not in notes:
        raise InvalidInputError(f"The `retrained` study must be one that `explain` made. Got '{retrained.name}'.")
    changes = [Change(**change) for change in notes["path"]]
    return explanation_of(
        notes["explains"],
        retrained,
        [notes["start"], *(change.values for change in changes)],
        changes,
        winner=notes["winner"],
        objective=retrained.objective,
    )


def explanations_of(study: Study) -> list[Explanation]:
    """The explanations of `study` that are recorded beside it and whose trainings have all ended, the oldest first."""
    found = [
        other for other in study.beside(f"{study.name}-explained-") if other.settings.get("explains") == study.name
    ]
    return [recorded_explanation(other) for other in found if _is_whole(other)]


def _is_whole(retrained: Study) -> bool:
    wanted = len(retrained.settings["path"]) + 1
    trials = retrained.trials[:wanted]
    return len(trials) == wanted and all(trial.state.finished for trial in trials)


def seeds_for(study: Study, repeats: int) -> tuple[int, ...]:
    """Fresh seeds: neither those of the search nor those of a confirmation, which chose the winner."""
    state = np.random.SeedSequence(study.record.terms.seed, spawn_key=(2,)).generate_state(repeats)
    return tuple(int(seed) for seed in state)


def explanation_of(
    study: str,
    retrained: Study,
    configurations: Sequence[Values],
    changes: Sequence[Change],
    *,
    winner: int,
    objective: Objective,
) -> Explanation:
    """What the trainings of a path say. Trial i of `retrained` has `configurations[i]`."""
    table = [_by_seed(trial) for trial in retrained.trials[: len(configurations)]]
    scores = [np.array(list(row.values())) for row in table]
    gains = [_gains(objective, scores[i], scores[i + 1]) for i in range(len(changes))]
    p_values = [sign_flip_p(gain) for gain in gains]
    steps = tuple(
        Step(
            name=change.name,
            before=change.before,
            after=change.after,
            effect=interval(gain) if len(gain) > 1 else None,
            p_value=p_value,
            adjusted=adjusted,
        )
        for change, gain, p_value, adjusted in zip(changes, gains, p_values, holm(p_values), strict=True)
    )
    behind = [_gains(objective, row, scores[-1]) for row in scores]
    total = interval(behind[0]) if len(behind[0]) > 1 else None
    simplest = _simplest(behind)
    return Explanation(
        study=study,
        retrained=retrained.name,
        winner=winner,
        configurations=tuple(dict(values) for values in configurations),
        scores=tuple(tuple(float(s) for s in row) for row in scores),
        steps=steps,
        total=total,
        simplest=simplest,
        sentences=tuple(_sentences(steps, total, simplest, behind, seeds=max(map(len, gains), default=0))),
    )


def _baseline(study: Study, space: Space, baseline: str | int | Trial | Mapping[str, Any]) -> dict[str, Value]:
    if isinstance(baseline, Mapping):
        return _inside(space, baseline)
    if isinstance(baseline, Trial):
        return _inside(space, baseline.values)
    if baseline == "default":
        return space.default_values()
    numbers = [trial.number for trial in study.trials]
    if isinstance(baseline, int) and not isinstance(baseline, bool) and baseline in numbers:
        return _inside(space, study.record.trial(baseline).values)
    raise InvalidInputError(
        f"The `baseline` must be 'default', a trial or its number (0 to {len(numbers) - 1}), or a mapping of names to "
        f"values. Got {baseline!r}."
    )


def _inside(space: Space, values: Values) -> dict[str, Value]:
    for name, value in values.items():
        if name not in space:
            raise SpaceError(
                f"The `baseline` must name hyperparameters of the space: {', '.join(space.names)}. Got '{name}'."
            )
        if not space[name].domain.contains(value):
            raise SpaceError(
                f"The `baseline` must lie inside the space, where '{name}' is {space[name].domain}. Got {value!r}. "
                "A model cannot be explained from values that no trial could have."
            )
    return space.restrict(values)


def _digest(start: Values, goal: Values, repeats: int) -> str:
    """Names the same path the same in every session."""
    text = json.dumps([dict(start), dict(goal), repeats], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _recorded_path(tuner: Tuner, name: str) -> tuple[Change, ...]:
    """The path that an earlier session began to train; a forecast from more trials might order it otherwise."""
    recorded = tuner.retrained(name)
    return () if recorded is None else tuple(Change(**change) for change in recorded.settings["path"])


def _by_seed(trial: Trial) -> dict[int, float]:
    """The score under each seed, the mean over its folds; nothing for a trial that failed."""
    if trial.state is State.FAILED:
        return {}
    scores: dict[int, list[float]] = {}
    for member in trial.members:
        if member.score is not None:
            scores.setdefault(member.key.seed, []).append(member.score)
    return {seed: float(np.mean(found)) for seed, found in scores.items()}


def _gains(objective: Objective, before: Array, after: Array) -> Array:
    """How much better each of `after` is; nothing where one side failed."""
    if len(before) != len(after):
        return np.zeros(0)
    return np.array([objective.loss(b) - objective.loss(a) for b, a in zip(before, after, strict=True)])


def _simplest(behind: Sequence[Array]) -> int:
    """The first place that the winner is not clearly better than."""
    last = len(behind) - 1
    return next((i for i, gain in enumerate(behind[:-1]) if len(gain) > 1 and interval(gain).low <= 0), last)


def _sentences(
    steps: Sequence[Step], total: Interval | None, simplest: int, behind: Sequence[Array], *, seeds: int
) -> list[str]:
    said = []
    if total is not None:
        verdict = "is better than the baseline by" if total.low > 0 else "cannot be told from the baseline: it gains"
        under = f"Under {format_count(seeds, 'fresh seed')}"
        said.append(f"{under}, the winner {verdict} {_signed(total.mean)} (95 % interval {_range(total)}).")
    made = [step.name for step in steps if step.significant]
    said.append(f"What made the difference: {', '.join(made)}." if made else "No single step stands out from chance.")
    if least_p(seeds, len(steps)) >= LEVEL:
        said.append(
            f"With {format_count(seeds, 'seed')} and {format_count(len(steps), 'step')} no p-value can fall below "
            f"{least_p(seeds, len(steps)):.2g}: ask for repeats={seeds_needed(len(steps))} or more to tell single steps."
        )
    said += _about_simplest(steps, simplest, behind)
    failed = [step.name for step in steps if step.effect is None]
    if failed:
        said.append(f"Next to a configuration that failed, no effect can be told: {', '.join(failed)}.")
    return said


def _about_simplest(steps: Sequence[Step], simplest: int, behind: Sequence[Array]) -> list[str]:
    if not len(behind[0]):
        return []
    if simplest == len(steps):
        return ["Each place on the path before the winner is worse than it: none of the last changes can be left out."]
    left = [step.name for step in steps[simplest:]]
    worst = interval(behind[simplest]).high
    where = "the baseline itself" if simplest == 0 else f"that after {format_count(simplest, 'change')}"
    stay = "it is" if len(left) == 1 else "they are"
    said = (
        f"The simplest configuration not distinguishable from the winner is {where}: {', '.join(left)} can stay as {stay} "
        f"there. These seeds rule out only that it is worse by more than {format_score(max(worst, 0.0))}."
    )
    return [said]


def _row(step: Step) -> dict[str, Any]:
    effect = step.effect
    found = {} if effect is None else {"effect": effect.mean, "low": effect.low, "high": effect.high}
    whole = {name: getattr(step, name) for name in ("name", "before", "after", "p_value", "adjusted")}
    return {**whole, **found}


def _mean(scores: Sequence[float]) -> str:
    return format_score(float(np.mean(scores))) if scores else "failed"


def _signed(number: float) -> str:
    return f"{'+' if number >= 0 else ''}{format_score(number)}"


def _range(of: Interval) -> str:
    return f"{_signed(of.low)} to {_signed(of.high)}"
