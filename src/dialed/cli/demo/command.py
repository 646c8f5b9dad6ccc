"""`dialed demo`: search, then show the winner, its gain, and what it says of ten test images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from dialed.cli.demo.images import Images
from dialed.cli.demo.model import ImageClassifier
from dialed.cli.documents import result_document
from dialed.cli.options import look_options, seed_option
from dialed.cli.output import note, plain_output, print_json, report_file
from dialed.cli.searching import going_on, say_backend
from dialed.cli.stores import say_place
from dialed.clock import SystemClock
from dialed.space import Choice

if TYPE_CHECKING:
    import keras

    from dialed.cli.demo.pictures import Prediction
    from dialed.study import Study

__all__ = ["demo", "resume_demo"]

MAX_TIME = "75s"
"""With the imports, the first build and the test, this ends well within two minutes on two slow cores."""

_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the demo ends with. Without a trial that has a score `test` and `predictions` are empty, and `report` is `None`."""

    study: Study
    report: Path | None
    test: Mapping[str, float]
    predictions: tuple[Prediction, ...]


@click.command(short_help="Watch Dialed tune a small network on real data.")
@click.option("--data", metavar="FILE.npz", help="Other images, such as mnist.npz.  [default: scikit-learn's digits]")
@click.option("--max-time", metavar="TIME", default=MAX_TIME, show_default=True, help="How long, such as 90s or 5m.")
@click.option("--name", metavar="NAME", help="The study's name.  [default: demo and the date and time]")
@seed_option
@look_options
def demo(data: str | None, max_time: str, name: str | None, seed: int | None, store: str | None, as_json: bool) -> None:
    """Watch Dialed tune a small network on handwritten digits.

    The learning rate, units, layers, dropout, activation, batch size and optimizer are tuned. At the end the winner and
    the defaults are trained again under fresh seeds, to see whether the winner is really better.
    """
    where = None if data is None else str(Path(data).expanduser().absolute())
    begun = {"kind": "demo", "data": where, "max_time": max_time, "seed": seed}
    _demo(begun, name or _new_name(), store=store, as_json=as_json)


def resume_demo(
    begun: Mapping[str, Any], name: str, budget: Mapping[str, Any], *, store: str | None, as_json: bool
) -> None:
    """Go on with the demo `name`, which was begun as `begun` says, with the limits in `budget` that are not `None`."""
    given = {limit: value for limit, value in budget.items() if value is not None}
    _demo({**begun, **given}, name, store=store, as_json=as_json)


def _new_name() -> str:
    return datetime.fromtimestamp(SystemClock().now()).strftime("demo-%Y%m%d-%H%M%S")


def _demo(begun: Mapping[str, Any], name: str, *, store: str | None, as_json: bool) -> None:
    say_backend()
    with plain_output(as_json), going_on(name, store):
        images = Images.digits() if begun["data"] is None else Images.of_file(begun["data"])
        note(images.describe())
        shown = _searched(begun, name, images, store)
    if as_json:
        print_json(_document(shown, store))
    else:
        _print(shown, store)
    if shown.study.winner is None:
        note("No trial has a score, so nothing was found.")
        click.get_current_context().exit(1)


def _searched(begun: Mapping[str, Any], name: str, images: Images, store: str | None) -> Shown:
    from dialed.study import Tuner

    tuner = Tuner(
        ImageClassifier(shape=images.shape, brightest=images.brightest, classes=images.classes),
        "val_accuracy",
        max_time=begun["max_time"],
        max_trials=begun.get("max_trials"),
        max_epochs=begun.get("max_epochs"),
        seed=begun["seed"],
        name=name,
        store=store,
    )
    tuner.extra_settings = {"run": dict(begun)}
    study = tuner.search(
        images.x_train,
        images.y_train,
        validation_split=0.2,
        epochs=images.epochs,
        batch_size=Choice(images.batch_sizes),
    )
    if study.winner is None:
        return Shown(study=study, report=None, test={}, predictions=())
    return _tested(study, tuner.best_model(), images)


def _tested(study: Study, model: keras.Model, images: Images) -> Shown:
    test = model.evaluate(images.x_test, images.y_test, verbose=0, return_dict=True)
    return Shown(
        study=study,
        report=study.report(report_file(study.name)),
        test={metric: float(value) for metric, value in test.items()},
        predictions=tuple(_predictions(model, images)),
    )


def _predictions(model: keras.Model, images: Images) -> list[Prediction]:
    """What the model says of the first test images."""
    from dialed.cli.demo.pictures import Prediction

    shown = images.x_test[:_SHOWN]
    probabilities = np.asarray(model.predict(shown, verbose=0))  # (images, classes)
    grey = np.asarray(shown, dtype=float) / images.brightest
    if grey.ndim == 4:
        grey = grey.mean(axis=-1)
    return [
        Prediction(image=image, label=int(label), said=int(row.argmax()), probability=float(row.max()))
        for image, label, row in zip(grey, images.y_test[:_SHOWN], probabilities, strict=True)
    ]


def _document(shown: Shown, store: str | None) -> dict[str, Any]:
    predictions = [{k: v for k, v in asdict(p).items() if k != "image"} for p in shown.predictions]
    return {
        **result_document(shown.study),
        "store": say_place(store),
        "report": None if shown.report is None else str(shown.report),
        "test": dict(shown.test),
        "predictions": predictions,
    }


def _print(shown: Shown, store: str | None) -> None:
    from rich.console import Console

    from dialed.cli.demo.pictures import gallery

    name = shown.study.name
    click.echo("\n" + shown.study.summary())
    if shown.predictions:
        click.echo(
            f"\nTest accuracy: {shown.test['accuracy']:.4f}, on images that no trial has seen. The first of them:\n"
        )
        console = Console(highlight=False)
        console.print(gallery(shown.predictions, console))
    place = "" if store is None else f" --store {store}"
    load = f'"{name}"' if store is None else f'"{name}", "{store}"'
    if shown.report is not None:
        click.echo(f"\nThe report is {shown.report}: open it in a browser.")
    click.echo(f"\nThe study {name} is kept in {say_place(store)}. Next:")
    click.echo(f"  dialed show {name}{place}")
    click.echo(f"  dialed best {name}{place}")
    click.echo(f"  python -c 'import dialed; print(dialed.load({load}).trials)'")
