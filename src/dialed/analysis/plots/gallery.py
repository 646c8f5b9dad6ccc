"""`study.plot`: a picture for each question to a study."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

from dialed.analysis import views
from dialed.analysis.explanation import Explanation, explanations_of, recorded_explanation
from dialed.analysis.plots import course, rungs, space, timeline, verdicts
from dialed.analysis.plots.canvas import Theme, canvas, look_of
from dialed.errors import InvalidInputError, StudyError
from dialed.trial import Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from dialed.study.study import Study

__all__ = ["Plots"]


class _RangeTest(Protocol):
    """A `dialed.RangeTest`, which draws itself."""

    @property
    def number(self) -> str: ...
    def plot(self, ax: Any = None) -> Any: ...


class Plots:
    """Pictures of one study, by Matplotlib (`pip install "dialed[plots]"`).

    Every method returns the `Figure`: save it with `.savefig("file.png")`; a notebook shows it, and `pyplot.show()` does
    where `matplotlib.pyplot` was imported before. `theme` is "light" or "dark". `ax` draws into axes of your own, where
    one suffices.

    Args:
        study: The study. It is read anew for each picture.

    Raises:
        MissingDependencyError: Matplotlib is not installed.

    Example:
        >>> import dialed
        >>> study = dialed.create_study({"x": dialed.Float(-1.0, 1.0)}, direction="min", store="sqlite:///:memory:")
        >>> trial = study.ask()
        >>> _ = study.tell(trial, trial.values["x"] ** 2)
        >>> figure = study.plot.history(theme="dark")
        >>> figure.axes[0].get_xlabel()
        'trial'
    """

    def __init__(self, study: Study) -> None:
        self._study = study

    def history(
        self, *, across: Literal["trials", "epochs"] = "trials", ax: Axes | None = None, theme: Theme = "light"
    ) -> Figure:
        """The score of each trial, and the best so far.

        Args:
            across: "trials", or "epochs" for what they cost. Defaults to "trials".
            ax: Where to draw. Defaults to a new figure.
            theme: "light" or "dark". Defaults to "light".
        """
        if across not in ("trials", "epochs"):
            raise InvalidInputError(f"`across` must be 'trials' or 'epochs'. Got {across!r}.")
        return course.draw_history(views.history_view(self._study.record), look_of(theme), ax, across)

    def curves(
        self,
        trials: Sequence[int] | None = None,
        *,
        metric: str | None = None,
        most: int = 200,
        ax: Axes | None = None,
        theme: Theme = "light",
    ) -> Figure:
        """Learning curves: a metric after each epoch, repeats and folds of a trial as one line with its range.

        Args:
            trials: The numbers of those to show. Defaults to None: all, or `most` of them from the best to the worst.
            metric: Another metric than the objective, such as "loss". Defaults to None.
            most: The most lines. Defaults to 200.
            ax: Where to draw. Defaults to a new figure.
            theme: "light" or "dark". Defaults to "light".

        Raises:
            InvalidInputError: No report has the `metric`.
        """
        other = metric is not None and metric != self._study.objective.name
        reports = [r.event for r in self._study.events() if isinstance(r.event, Report)] if other else []
        if other and not any(metric in report.metrics for report in reports):
            known = sorted({name for report in reports for name in report.metrics})
            raise InvalidInputError(
                f"The `metric` must be one that was reported: {', '.join(known) or 'none yet'}. Got '{metric}'."
            )
        view = views.curves_view(self._study.record, trials=trials, metric=metric, reports=reports, most=most)
        return course.draw_curves(view, look_of(theme), ax)

    def parallel(self, names: Sequence[str] | None = None, *, ax: Axes | None = None, theme: Theme = "light") -> Figure:
        """Parallel coordinates: each trial as a line over its values to its score.

        Args:
            names: The hyperparameters, from left to right. Defaults to None: all that vary.
            ax: Where to draw. Defaults to a new figure.
            theme: "light" or "dark". Defaults to "light".
        """
        return space.draw_parallel(
            views.parallel_view(self._study.record, self._study.space, names), look_of(theme), ax
        )

    def importance(
        self, method: str = "ped-anova", *, seed: int = 0, ax: Axes | None = None, theme: Theme = "light"
    ) -> Figure:
        """Which hyperparameters mattered, each with its interval and what chance alone can reach.

        Args:
            method: As in `study.importance`. Defaults to "ped-anova".
            seed: Of what is random in it. Defaults to 0.
            ax: Where to draw. Defaults to a new figure.
            theme: "light" or "dark". Defaults to "light".

        Raises:
            StudyError: Fewer than 10 trials have a score.
        """
        return verdicts.draw_importance(self._study.importance(method, seed=seed), look_of(theme), ax)

    def slice(self, names: Sequence[str] | None = None, *, theme: Theme = "light") -> Figure:
        """The scores over each hyperparameter by itself, one panel each, with median and quartiles.

        Args:
            names: The hyperparameters. Defaults to None: all that vary.
            theme: "light" or "dark". Defaults to "light".
        """
        view = views.slice_view(self._study.record, self._study.space, names)
        return space.draw_slices(view, look_of(theme))

    def contour(
        self,
        x: str | None = None,
        y: str | None = None,
        *,
        seed: int = 0,
        ax: Axes | None = None,
        theme: Theme = "light",
    ) -> Figure:
        """The expected score over the plane of two hyperparameters, with the points it was learnt from.

        Args:
            x: The hyperparameter across. Defaults to None: the one that mattered most of those left.
            y: The hyperparameter up. Defaults to None: the same.
            seed: Of the forest that expects it. Defaults to 0.
            ax: Where to draw. Defaults to a new figure.
            theme: "light" or "dark". Defaults to "light".
        """
        view = views.contour_view(self._study.record, self._study.space, x, y, seed=seed)
        return space.draw_contour(view, look_of(theme), ax)

    def tried(self, x: str | None = None, y: str | None = None, *, theme: Theme = "light") -> Figure:
        """The grid-versus-random picture: which points of a plane were tried, and how many values of each side.

        Args:
            x: The hyperparameter across. Defaults to None: the one that mattered most of those left.
            y: The hyperparameter up. Defaults to None: the same.
            theme: "light" or "dark". Defaults to "light".
        """
        return space.draw_tried(views.tried_view(self._study.record, self._study.space, x, y), look_of(theme))

    def rungs(self, *, ax: Axes | None = None, theme: Theme = "light") -> Figure:
        """Who was trained how far, and who went on: successive halving, Hyperband, ASHA and "auto"."""
        return rungs.draw_rungs(views.rungs_view(self._study.record), look_of(theme), ax)

    def rank_correlation(self, *, ax: Axes | None = None, theme: Theme = "light") -> Figure:
        """Whether early epochs foretell late ones: the rank correlation between rungs, with its interval."""
        return rungs.draw_correlation(views.correlation_view(self._study.record), look_of(theme), ax)

    def timeline(self, *, ax: Axes | None = None, theme: Theme = "light") -> Figure:
        """Who trained what, when: a row for each member that a worker trains at once."""
        return timeline.draw_timeline(views.timeline_view(self._study.events()), look_of(theme), ax)

    def front(
        self, x: str | None = None, y: str | None = None, *, ax: Axes | None = None, theme: Theme = "light"
    ) -> Figure:
        """Two objectives against each other, with the front of the best trade-offs.

        Args:
            x: The objective across. Defaults to None: the second one.
            y: The objective up. Defaults to None: the first one, which is the score.
            ax: Where to draw. Defaults to a new figure.
            theme: "light" or "dark". Defaults to "light".

        Raises:
            InvalidInputError: The study has one objective only, or none of that name.
        """
        return verdicts.draw_front(views.front_view(self._study.record, x, y), look_of(theme), ax)

    def race(self, *, ax: Axes | None = None, theme: Theme = "light") -> Figure:
        """The finalists under fresh seeds, beside the scores that chose them.

        Raises:
            StudyError: Nobody confirmed the study yet.
        """
        return verdicts.draw_race(views.race_view(self._study.record), look_of(theme), ax)

    def explanation(
        self, explanation: Explanation | None = None, *, ax: Axes | None = None, theme: Theme = "light"
    ) -> Figure:
        """The path from the defaults to the winner, retrained one change at a time.

        Args:
            explanation: What `tuner.explain` returned. Defaults to None: the latest that is recorded beside the study.
            ax: Where to draw. Defaults to a new figure.
            theme: "light" or "dark". Defaults to "light".

        Raises:
            StudyError: There is none yet.
        """
        if explanation is None:
            explanation = self._recorded_explanation()
        return verdicts.draw_explanation(explanation, self._study.objective, look_of(theme), ax)

    def lr_range(self, test: _RangeTest, *, ax: Axes | None = None, theme: Theme = "light") -> Figure:
        """What a learning-rate range test measured and suggests; `test.plot()` draws the same, light.

        Args:
            test: What `dialed.lr_range_test` returned.
            ax: Where to draw. Defaults to a new figure.
            theme: "light" or "dark". Defaults to "light".
        """
        with canvas(look_of(theme), ax) as sheet:
            test.plot(ax=sheet.axes)
            sheet.title(f"Range test of {test.number.replace('_', ' ')}")
        return sheet.figure

    def as_png(self, *, theme: Theme = "light") -> dict[str, bytes]:
        """The pictures that every study has, as PNG files by name: its course, its curves, and its space.

        Args:
            theme: "light" or "dark". Defaults to "light".
        """
        names = ["history", "curves", *(["parallel", "slice"] if len(self._study.space) else [])]
        files = {}
        for name in names:
            file = io.BytesIO()
            getattr(self, name)(theme=theme).savefig(file, format="png")
            files[name] = file.getvalue()
        return files

    def _recorded_explanation(self) -> Explanation:
        if "explains" in self._study.settings:
            return recorded_explanation(self._study)
        found = explanations_of(self._study)
        if not found:
            raise StudyError(
                f"This view needs a path that was retrained, and none of '{self._study.name}' is recorded. Call "
                "`tuner.explain()` first."
            )
        return found[-1]

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.startswith("_")]

    def __repr__(self) -> str:
        return f"<Plots of '{self._study.name}': {', '.join(dir(self))}>"

    def __call__(self, *_: Any, **__: Any) -> Figure:
        """Say which pictures there are."""
        raise InvalidInputError(f"`study.plot` must be asked for one of {', '.join(dir(self))}: study.plot.history().")
