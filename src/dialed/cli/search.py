"""`dialed run`, `dialed resume` and `dialed preview`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

import click

from dialed.cli import searching
from dialed.cli.documents import result_document
from dialed.cli.options import budget_options, debug_option, json_option, look_options, seed_option, store_option
from dialed.cli.output import note, plain_output, print_json
from dialed.cli.request import SearchRequest, read_config
from dialed.cli.stores import open_study, say_place
from dialed.clock import SystemClock
from dialed.errors import StudyError

__all__ = ["preview", "resume", "run"]

F = TypeVar("F", bound=Callable[..., Any])


def _search_options(function: F) -> F:
    """What `run` and `preview` share."""
    for option in reversed(
        [
            click.argument("builder", metavar="FILE.py:FUNCTION"),
            click.option(
                "--data",
                metavar="SOURCE",
                help="An .npz file (x_train, y_train, x_test, y_test), a .csv file, or FILE.py:FUNCTION.  "
                "[default: load_data in the builder's file]",
            ),
            click.option("--target", metavar="COLUMN", help="The column of a .csv file to predict."),
            click.option("--config", metavar="FILE.toml", help="More options; those given here go before."),
            click.option(
                "--objective", metavar="METRIC", help="What to improve, such as val_accuracy or my_metric:max."
            ),
            click.option("--strategy", metavar="NAME", help="How to choose what to try.  [default: auto]"),
            budget_options,
            click.option("--epochs", metavar="N", help="Epochs of a trial: 10, or 5..20 to tune them.  [default: 10]"),
            click.option("--batch-size", metavar="N", help="Batch size: 32, or 32,64,128 to tune it."),
            click.option("--patience", type=int, metavar="N", help="Stop a trial after N epochs without improvement."),
            click.option(
                "--validation-split",
                type=float,
                metavar="SHARE",
                help="The last part of the data, to judge trials by.  [default: 0.2]",
            ),
            click.option("--cv", type=int, metavar="FOLDS", help="Judge by cross-validation instead."),
            click.option("--repeats", type=int, metavar="N", help="Seeds to train each trial under.  [default: 1]"),
            click.option("--confirm/--no-confirm", default=None, help="Judge the winner under fresh seeds."),
            click.option("--max-parameters", type=int, metavar="N", help="Larger models are failed trials."),
            click.option(
                "--workers",
                type=int,
                metavar="N",
                help="Processes that train; 0 for `dialed worker`s only.  [default: 1]",
            ),
            click.option("--max-trial-time", metavar="TIME", help="A trial that takes longer has failed, such as 10m."),
            click.option("--worker-memory", metavar="SIZE", help="A worker that takes more is ended, such as 4GB."),
            seed_option,
        ]
    ):
        function = option(function)
    return function


@click.command(short_help="Search for good hyperparameters of a Keras model.")
@_search_options
@click.option("--name", metavar="NAME", help="The study's name; an existing study goes on.  [default: date and time]")
@click.option(
    "--artifacts", metavar="PLACE", help="Where checkpoints are kept: a folder, or a URL.  [default: beside the store]"
)
@look_options
def run(builder: str, config: str | None, as_json: bool, **options: Any) -> None:
    """Search for good hyperparameters of a Keras model.

    FUNCTION in FILE.py takes `hp` and returns a compiled model. Where the data has a test set, the winner is judged by
    it at the end; the search never sees it.
    """
    request = _request(builder, config, options)
    _search(request, request.name or _new_name(), as_json=as_json)


@click.command(short_help="Go on with a study that was begun here.")
@click.argument("name")
@budget_options
@look_options
def resume(name: str, as_json: bool, store: str | None, **budget: Any) -> None:
    """Go on with a study that `dialed run` or `dialed demo` began.

    Budgets are totals over all sessions of the study: a larger one lets it go on, none keeps those it was begun with.
    """
    with open_study(name, store) as study:
        begun = study.settings.get("run")
    if not isinstance(begun, Mapping):
        raise StudyError(
            f"`dialed resume` goes on with studies that `dialed run` or `dialed demo` began. Got '{name}', which was begun "
            "from Python. Run your script again: it goes on where the study stopped."
        )
    if begun["kind"] == "demo":
        from dialed.cli.demo.command import resume_demo

        resume_demo(begun, name, budget, store=store, as_json=as_json)
        return
    request = SearchRequest.from_json({**begun, "store": store}).with_budget(budget)
    _search(request, name, as_json=as_json)


@click.command(short_help="Show the plan of a search before paying for it.")
@_search_options
@store_option
@json_option
@debug_option
def preview(builder: str, config: str | None, as_json: bool, **options: Any) -> None:
    """Show the plan of a search before paying for it: trials, epochs, memory and time.

    Takes what `dialed run` takes. A few batches of the defaults are trained, for their time; nothing is stored.
    """
    request = _request(builder, config, options)
    with plain_output(as_json):
        plan = searching.preview(request)
    if as_json:
        print_json(asdict(plan))
    else:
        click.echo(str(plan))


def _request(builder: str, config: str | None, options: Mapping[str, Any]) -> SearchRequest:
    return SearchRequest.of(builder, options, {} if config is None else read_config(config))


def _new_name() -> str:
    from dialed.study.job import new_name

    return new_name(SystemClock())


def _search(request: SearchRequest, name: str, *, as_json: bool) -> None:
    """Search, print what was found, and exit with 1 where that is nothing."""
    with plain_output(as_json):
        result = searching.search(request, name)
    study = result.study
    if as_json:
        print_json({**result_document(study), "store": say_place(request.store), "test": result.test})
    else:
        click.echo("\n" + study.summary())
        if result.test:
            shown = ", ".join(f"{metric} {value:.4g}" for metric, value in result.test.items())
            click.echo(f"\nOn the test data, which no trial has seen: {shown}.")
        click.echo(f"\nKept in {say_place(request.store)} as {name}. Next: {next_steps(name, request.store)}")
    if study.winner is None:
        note("No trial has a score, so nothing was found.")
        click.get_current_context().exit(1)


def next_steps(name: str, store: str | None) -> str:
    """What to type next."""
    place = "" if store is None else f" --store {store}"
    return f"dialed show {name}{place}"
