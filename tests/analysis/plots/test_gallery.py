"""`study.plot` draws every view of a study, in both themes, small and large."""

import math
import subprocess
import sys

import pytest

import dialed
from dialed.errors import InvalidInputError, MissingDependencyError, StudyError

pytest.importorskip("matplotlib.pyplot")

PICTURES = ("history", "curves", "parallel", "slice", "contour", "tried", "rungs", "rank_correlation", "timeline")
LONG = "the_rate_at_which_a_network_of_this_kind_learns/from_its_mistakes"


def measure(hp):
    rate = hp.Float(LONG, 1e-5, 1.0, sampling="log", default=1e-3)
    if hp.Choice("kind", ["plain", "momentum"]) == "momentum":
        hp.Float("momentum", 0.5, 0.99, sampling="reverse_log")
    if rate > 0.5:
        raise ValueError("too fast")
    for step in range(1, 10):
        loss = (math.log10(rate) + 2) ** 2 + 3 / step
        if hp.report(step, {"loss": loss if rate < 0.3 else math.nan, "other": 2 * step, "size": 1000 * rate}):
            break
    return {"loss": loss, "size": 1000 * rate}


@pytest.fixture(scope="module")
def studies():
    """A halved study with failures and conditional values; one with two objectives, of one trial, and an empty one."""
    settings = {"seed": 0, "verbose": 0, "store": "sqlite:///:memory:"}
    halved = dialed.optimize(measure, objective="loss", strategy="hyperband", epochs=9, max_trials=24, **settings)
    one = dialed.optimize(measure, objective="loss", strategy="random", epochs=9, max_trials=1, **settings)
    goals = {"objective": ["loss", "size"], "direction": ["min", "min"]}
    two = dialed.optimize(measure, strategy="random", epochs=9, max_trials=8, **goals, **settings)
    empty = dialed.create_study({"x": dialed.Float(0.0, 1.0), "y": dialed.Int(1, 3)}, store="sqlite:///:memory:")
    return {"halved": halved, "one": one, "two": two, "empty": empty}


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PICTURES)
def test_each_picture_is_900_pixels_wide_in_the_colours_of_its_theme(studies, name, theme):
    figure = getattr(studies["halved"].plot, name)(theme=theme)
    figure.draw_without_rendering()
    assert figure.get_size_inches()[0] * figure.dpi == 900
    paper = figure.get_facecolor()[0]
    assert (paper > 0.9) == (theme == "light")


@pytest.mark.slow
@pytest.mark.parametrize("which", ["one", "empty"])
@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_of_next_to_nothing_can_be_drawn(studies, name, which):
    getattr(studies[which].plot, name)().draw_without_rendering()


@pytest.mark.parametrize("name", ["curves", "parallel", "rungs", "rank_correlation", "timeline"])
def test_a_picture_has_a_title(studies, name):
    assert getattr(studies["halved"].plot, name)(theme="dark").get_suptitle()


def test_the_front_is_marked(studies):
    figure = studies["two"].plot.front()
    assert figure.get_suptitle() == f"{len(studies['two'].best_trials)} trials of 8 on the front"
    assert figure.axes[0].get_xlabel() == "size (lower is better)"


def test_failures_and_the_winner_are_told(studies):
    study = studies["halved"]
    texts = {text.get_text() for text in study.plot.history().legends[0].get_texts()}
    failed = sum(trial.cause is not None for trial in study.trials)
    assert failed == 1
    assert "1 failed trial" in texts
    assert any(text.startswith(f"trial {study.winner.number}:") for text in texts)
    assert study.plot.history(across="epochs").axes[0].get_xlabel().startswith("trained epochs")


def test_a_long_name_is_shortened_in_its_middle(studies):
    label = studies["halved"].plot.slice([LONG]).axes[0].get_xlabel()
    assert len(label) == 30
    assert (label[:8], label[-8:]) == (LONG[:8], LONG[-8:])


def test_what_is_inactive_has_a_place_of_its_own(studies):
    axes = studies["halved"].plot.slice(["momentum"]).axes[0]
    assert axes.get_xticklabels()[0].get_text() == "off"


def test_axes_of_your_own_are_drawn_into(studies):
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.subplots()
    assert studies["halved"].plot.history(ax=axes) is figure
    assert axes.lines


def test_curves_show_another_metric(studies):
    assert studies["halved"].plot.curves(metric="other").axes[0].get_ylabel() == "other"
    with pytest.raises(InvalidInputError, match="must be one that was reported: loss, other, size. Got 'accuracy'"):
        studies["halved"].plot.curves(metric="accuracy")


def test_importance_has_a_bar_for_each_hyperparameter():
    study = dialed.optimize(
        lambda hp: hp.Float("a", 0.0, 1.0) + 0.1 * hp.Float("b", 0.0, 1.0),
        strategy="random", max_trials=20, seed=0, store="sqlite:///:memory:", verbose=0,
    )  # fmt: skip
    axes = study.plot.importance(theme="dark").axes[0]
    assert {label.get_text() for label in axes.get_yticklabels()} == {"a", "b"}
    assert len(axes.patches) == 2


def test_a_race_shows_each_finalist():
    calls = iter(range(1000))
    study = dialed.optimize(
        lambda hp: hp.Float("a", 0.0, 1.0, default=0.9) + 0.01 * (next(calls) % 7),
        strategy="random", max_trials=12, seed=0, store="sqlite:///:memory:", verbose=0, confirm=True,
    )  # fmt: skip
    labels = [label.get_text() for label in study.plot.race().axes[0].get_yticklabels()]
    assert len(labels) == len(study.confirmation.finalists)
    assert any(f"trial {study.winner.number}, the winner" in label for label in labels)
    assert any("the defaults" in label for label in labels)


def test_what_was_not_done_is_told(studies):
    with pytest.raises(StudyError, match="trained under fresh seeds, and this study has none"):
        studies["one"].plot.race()
    with pytest.raises(StudyError, match="a path that was retrained, and none of .* is recorded"):
        studies["one"].plot.explanation()
    with pytest.raises(StudyError, match="needs at least 10 trials"):
        studies["one"].plot.importance()


def test_bad_arguments_are_told(studies):
    plot = studies["one"].plot
    with pytest.raises(InvalidInputError, match="The `theme` must be 'light' or 'dark'. Got 'pink'"):
        plot.history(theme="pink")
    with pytest.raises(InvalidInputError, match="`across` must be 'trials' or 'epochs'. Got 'hours'"):
        plot.history(across="hours")
    with pytest.raises(InvalidInputError, match="`study.plot` must be asked for one of .*history.*study.plot.history"):
        plot()
    assert "history" in repr(plot)


def test_without_matplotlib_the_extra_is_named(studies, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "dialed\[plots\]"'):
        studies["one"].plot.history()


def test_a_notebook_shows_the_figure_itself(studies):
    assert studies["one"].plot.history()._repr_png_().startswith(b"\x89PNG")


@pytest.mark.slow
def test_matplotlib_is_loaded_when_it_is_needed():
    code = "import dialed, sys, dialed.analysis.plots; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_range_test_is_drawn_in_the_dark_too(studies):
    class Test:
        number = "learning_rate"

        def plot(self, ax):
            ax.set_xlabel("rate")
            ax.plot([1, 2], [3, 4])

    figure = studies["one"].plot.lr_range(Test(), theme="dark")
    assert (figure.axes[0].get_xlabel(), figure.get_suptitle()) == ("rate", "Range test of learning rate")
