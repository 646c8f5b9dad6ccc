"""What a page may change, where the dashboard was started with `--allow-control`: notes, and what a search is asked."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dialed.errors import InvalidInputError, SpaceError
from dialed.observe.dashboard.api import library_of
from dialed.observe.dashboard.library import Look
from dialed.observe.dashboard.pages import error_page
from dialed.observe.dashboard.table import row_of
from dialed.space import Domain, Space
from dialed.study.budget import Budget
from dialed.study.study import Study
from dialed.study.wishes import ask_to_pause, ask_to_stop, set_budget, write_note
from dialed.trial import Value

__all__ = ["routes"]

LARGEST_BYTES = 100_000
"""Of what a page may send."""


def routes() -> list[Route]:
    """The addresses below `/control`."""
    actions: Mapping[str, Callable[[Look, Mapping[str, Any]], Any]] = {
        "note": _note,
        "stop": lambda look, sent: ask_to_stop(look.store, _integer(sent, "trial")),
        "pause": lambda look, _: ask_to_pause(look.store, paused=True),
        "resume": lambda look, _: ask_to_pause(look.store, paused=False),
        "enqueue": _enqueue,
        "budget": _budget,
    }
    return [Route(f"/control/{name}", _doing(action), methods=["POST"]) for name, action in actions.items()]


def _doing(action: Callable[[Look, Mapping[str, Any]], Any]) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        if not request.app.state.allow_control:
            said = "This dashboard only shows. Start it with `dialed dashboard --allow-control` to change anything."
            return error_page(request.scope, 403, "Only for looking", said)
        sent = _read(await _body(request), request.headers.get("content-type", ""))
        found = await run_in_threadpool(lambda: action(library_of(request).look(str(sent.get("study", "")))[0], sent))
        return JSONResponse({"done": True} if found is None else found)

    return endpoint


async def _body(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_BYTES:
            raise InvalidInputError(f"A request must have at most {LARGEST_BYTES:,} bytes. Got more.")
    return body


def _read(body: bytes, kind: str) -> Mapping[str, Any]:
    try:
        sent = json.loads(body) if kind.startswith("application/json") else None
    except ValueError:
        sent = None
    if not isinstance(sent, dict):
        raise InvalidInputError(f"A request must be a JSON object. Got {body[:60]!r} ({kind or 'no type'}).")
    return sent


def _note(look: Look, sent: Mapping[str, Any]) -> Any:
    text, tags = sent.get("text", ""), sent.get("tags", [])
    if not isinstance(text, str) or not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise InvalidInputError("A note must have a `text`, and `tags` that are texts.")
    return row_of(write_note(look.store, _integer(sent, "trial"), text, tags))


def _budget(look: Look, sent: Mapping[str, Any]) -> None:
    """The budget as it was typed: an empty field is no limit."""
    trials, epochs = (_whole(sent.get(name), name) for name in ("max_trials", "max_epochs"))
    set_budget(look.store, Budget.of(trials, epochs, str(sent.get("max_time") or "") or None))


def _whole(value: object, name: str) -> int | None:
    text = "" if value is None else str(value).replace(",", "").strip()
    if text and not text.isdecimal():
        raise InvalidInputError(f"The `{name}` must be a whole number, or empty for no limit. Got {text[:40]!r}.")
    return int(text) if text else None


def _enqueue(look: Look, sent: Mapping[str, Any]) -> None:
    given = sent.get("values")
    if not isinstance(given, dict):
        raise InvalidInputError(f"The `values` must be an object. Got {given!r:.60}.")
    Study(look.store).enqueue({name: _value(look.space, name, text) for name, text in given.items()})


def _value(space: Space, name: str, text: object) -> Value:
    """The value that was typed, in the type of its hyperparameter."""
    if name not in space:
        raise SpaceError(f"The `values` must name hyperparameters of the study. Got '{name}'.")
    domain: Domain = space[name].domain
    found = next((value for value in _readings(str(text)) if domain.contains(value)), None)
    if found is None and not domain.contains(None):
        raise SpaceError(f"The value of '{name}' must be one of {domain}. Got {str(text)[:60]!r}.")
    return found


def _readings(text: str) -> list[Value]:
    """What a text may mean: itself, a number, a truth."""
    readings: list[Value] = [text]
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        if math.isfinite(number):
            readings.append(number)
    return [*readings, *({"true": [True], "false": [False]}.get(text.lower(), []))]


def _integer(sent: Mapping[str, Any], name: str) -> int:
    value = sent.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidInputError(f"`{name}` must be a whole number. Got {value!r:.60}.")
    return value
