"""`dialed lr-range`, `dialed batch-size` and `dialed optimizers`: the tools, on a build function and data in files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from dialed.cli import searching
from dialed.cli.load import Loaded, load_builder, load_data
from dialed.cli.options import debug_option, json_option
from dialed.cli.output import note, plain_output, print_json
from dialed.cli.request import beside
from dialed.errors import InvalidInputError

__all__ = ["batch_size", "lr_range", "optimizers"]

F = TypeVar("F", bound=Callable[..., Any])

PICTURES = (".png", ".svg", ".pdf")


def _shared(function: F) -> F:
    """What the tools have in common."""
    for option in (
        debug_option,
        json_option,
        click.option("--output", metavar="FILE", help="Also write a picture (.png, .svg, .pdf) or a page (.html)."),
        click.option("--seed", type=click.IntRange(min=0), default=0, help="Makes it repeatable.  [default: 0]"),
        click.option("--target", metavar="COLUMN", help="The column of a .csv file to predict."),
        click.option(
            "--data",
            metavar="SOURCE",
            help="An .npz file (x_train, y_train), a .csv file, or FILE.py:FUNCTION.  [default: load_data in the builder's "
            "file]",
        ),
        click.argument("builder", metavar="FILE.py:FUNCTION"),
    ):
        function = option(function)
    return function


@click.command("lr-range", short_help="Find the learning rate of a model by a range test.")
@_shared
@click.option(
    "--number", default="learning_rate", metavar="NAME", help="The optimizer's number.  [default: learning_rate]"
)
@click.option("--low", type=float, metavar="X", help="The first value.  [default: 1e-6]")
@click.option("--high", type=float, metavar="X", help="The last value.  [default: 10]")
@click.option("--steps", type=int, default=120, metavar="N", help="Batches to train on.  [default: 120]")
@click.option("--batch-size", type=int, default=32, metavar="N", help="Samples of a batch.  [default: 32]")
@click.option("--seeds", type=int, default=3, metavar="N", help="Trainings to average over.  [default: 3]")
@click.option("--validation-split", type=float, default=0.0, metavar="SHARE", help="Hold out, and show the loss there.")
def lr_range(builder: str, **options: Any) -> None:
    """Train on some hundred batches while the learning rate rises, and say where the loss falls and where it explodes.

    FUNCTION in FILE.py takes `hp` and returns a compiled model.
    """
    from dialed.tools.lr_range import lr_range_test

    found = _run(builder, lr_range_test, options)
    document = {
        "number": found.number,
        "suggestion": found.suggestion,
        "interval": found.interval,
        "range": found.range,
        "suggestions": dict(found.suggestions),
        "reason": found.reason,
        "batch_size": found.batch_size,
        "way": found.way,
        "values": found.values.tolist(),
        "curve": found.curve.tolist(),
    }
    _tell(found, document, options, title="Learning-rate range test", drawn=True)


@click.command("batch-size", short_help="Find the batch size that fits, is fast, and is of use.")
@_shared
@click.option("--low", type=int, default=8, metavar="N", help="The smallest size.  [default: 8]")
@click.option("--high", type=int, metavar="N", help="The largest.  [default: half of the samples, at most 65,536]")
@click.option("--noise-scale/--no-noise-scale", default=True, help="Measure it, to cap the suggestion.  [default: yes]")
@click.option("--validation-split", type=float, default=0.0, metavar="SHARE", help="Hold out for the validation step.")
def batch_size(builder: str, **options: Any) -> None:
    """Time batch sizes, find the largest that fits into memory, and the one to take.

    Sizes are tried in processes of their own: leave the machine alone meanwhile.
    """
    from dialed.tools.batches import find_batch_size

    found = _run(builder, find_batch_size, options)
    document = {
        "suggestion": found.suggestion,
        "range": found.range,
        "largest": found.largest,
        "limited_by_memory": not found.is_all,
        "fastest": found.fastest,
        "noise_scale": found.noise_scale,
        "way": found.way,
        "sizes": found.table,
    }
    _tell(found, document, options, title="Batch sizes", drawn=found.suggestion is not None)


@click.command("optimizers", short_help="Compare optimizers, each at its own learning rate.")
@_shared
@click.option("--optimizers", "names", metavar="A,B,...", help="Such as sgd,nesterov,adam,adamw,lion.  [default: all]")
@click.option("--epochs", type=int, default=5, metavar="N", help="Of each training.  [default: 5]")
@click.option("--batch-size", type=int, default=32, metavar="N", help="Samples of a batch.  [default: 32]")
@click.option("--objective", metavar="METRIC", help="What to compare by.  [default: val_loss]")
@click.option("--seeds", type=int, default=3, metavar="N", help="Trainings of each.  [default: 3]")
@click.option(
    "--validation-split", type=float, default=0.2, metavar="SHARE", help="The last part of the data.  [default: 0.2]"
)
def optimizers(builder: str, names: str | None, objective: str | None, **options: Any) -> None:
    """Train a model with several optimizers under the same seeds, its own among them."""
    from dialed.tools.optimizers import compare_optimizers

    asked = {"optimizers": None if names is None else [name.strip() for name in names.split(",")]}
    found = _run(builder, compare_optimizers, {**options, **asked, "objective": searching.objective_of(objective)})
    document = {
        "suggestion": found.suggestion,
        "learning_rate": found.learning_rate,
        "objective": found.objective,
        "epochs": found.epochs,
        "seeds": found.seeds,
        "optimizers": found.table,
    }
    _tell(found, document, options, title="Optimizers", drawn=found.suggestion is not None)


def _run(builder: str, tool: Callable[..., Any], options: Mapping[str, Any]) -> Any:
    """Call `tool` with what the options name; what the user's code prints stays out of a JSON document."""
    own = ("data", "target", "output", "as_json")
    _check_output(options["output"])
    with plain_output(options["as_json"]):
        searching.say_backend()
        build = load_builder(builder)
        loaded = _loaded(builder, options)
        return tool(
            build, loaded.x_train, loaded.y_train, **{name: v for name, v in options.items() if name not in own}
        )


def _loaded(builder: str, options: Mapping[str, Any]) -> Loaded:
    loaded = load_data(options["data"] or beside(builder), options["target"])
    for line in loaded.notes:
        note(line)
    return loaded


def _check_output(output: str | None) -> None:
    """Before anything is trained: a file that could not be written would be a pity."""
    if output is None:
        return
    if Path(output).suffix.lower() not in (*PICTURES, ".html"):
        raise InvalidInputError(f"`--output` must end with {', '.join(PICTURES)} or .html. Got '{output}'.")
    if not Path(output).expanduser().absolute().parent.is_dir():
        raise InvalidInputError(f"`--output` must lie in a folder that is there. Got '{output}'.")


def _tell(found: Any, document: Mapping[str, Any], options: Mapping[str, Any], *, title: str, drawn: bool) -> None:
    """Print the result, write the picture, and exit with 1 where nothing is suggested."""
    output = options["output"]
    if output is not None and drawn:
        _draw(found, Path(output).expanduser(), title)
        note(f"Drawn into {output}.")
    if options["as_json"]:
        print_json(document)
    else:
        click.echo(str(found))
    if found.suggestion is None:
        click.get_current_context().exit(1)


def _draw(found: Any, path: Path, title: str) -> None:
    axes = found.plot()
    if path.suffix.lower() == ".html":
        from dialed.tools.pages import page

        path.write_text(page(title, found._repr_html_(), axes), encoding="utf-8")
    else:
        axes.figure.savefig(path, dpi=150)


globals()["lr-range"] = lr_range  # commands are found under their own names
globals()["batch-size"] = batch_size
