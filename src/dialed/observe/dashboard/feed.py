"""What happens, as it happens: one stream of server-sent events for each page, with the store's cursor as its place.

Each message carries the cursor of the last event that it tells of. A browser that lost the connection comes back with
that cursor (`Last-Event-ID`), also to a dashboard that was started anew, and is told everything since.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import anyio
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import StreamingResponse

from dialed.errors import DialedError, StudyError
from dialed.observe.dashboard.api import head_of_study, library_of, study_row
from dialed.observe.dashboard.library import BEHIND, Library, Look
from dialed.observe.dashboard.table import row_of
from dialed.store import Recorded
from dialed.store.fold import trial_of

__all__ = ["feed"]

LOOK_SECONDS = 0.5
"""How often the store is asked."""

BEAT_SECONDS = 15.0
"""A line of comment after so long a silence keeps the connection open, and shows a browser that left."""


async def feed(request: Request) -> StreamingResponse:
    """The stream of one study (`?study=`), or of the list of studies."""
    name = request.query_params.get("study")
    library = library_of(request)
    after = request.headers.get("last-event-id") or request.query_params.get("after", "")
    tell = partial(_list, library) if name is None else partial(_study, library, name)
    stream = _stream(request, tell, after)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _stream(request: Request, tell: Callable[[str], Message | None], after: str) -> AsyncIterator[str]:
    yield "retry: 1000\n\n"
    silent = 0.0
    trouble = ""
    while not await request.is_disconnected() and not request.app.state.leaving.is_set():
        try:
            message = await to_thread.run_sync(tell, after)
        except StudyError as error:
            yield _text("gone", after, {"error": str(error)})
            return
        except DialedError as error:
            if str(error) != trouble:  # said once, however long it lasts
                trouble = str(error)
                yield _text("trouble", after, {"error": trouble})
            message = None
        else:
            if trouble:
                trouble = ""
                yield _text("calm", after, {})
        if message is not None:
            kind, after, body = message
            yield _text(kind, after, body)
        silent = 0.0 if message is not None else silent + LOOK_SECONDS
        if silent >= BEAT_SECONDS:
            silent = 0.0
            yield ": still here\n\n"
        await anyio.sleep(LOOK_SECONDS)


Message = tuple[str, str, Any]


def _text(kind: str, cursor: str, body: Any) -> str:
    return f"event: {kind}\nid: {cursor}\ndata: {json.dumps(body, separators=(',', ':'), allow_nan=False)}\n\n"


def _list(library: Library, after: str) -> Message | None:
    """The list of studies, whenever one of them changed."""
    found = library.studies()
    stamp = ",".join(f"{info.name}:{info.cursor}:{info.state}" for info in found)
    cursor = f"{zlib.crc32(stamp.encode()):x}"
    return None if cursor == after else ("studies", cursor, [study_row(info) for info in found])


def _study(library: Library, name: str, after: str) -> Message | None:
    look, info = library.look(name)
    state = f"{info.state}"
    at, _, shown = after.partition("-")
    cursor = int(at) if at.isdecimal() and len(at) < 19 else look.cursor
    if cursor == look.cursor and shown == state:
        return None
    place = f"{look.cursor}-{state}"
    with look.lock:
        head = head_of_study(look, info)
        if look.cursor - cursor > BEHIND or cursor > look.cursor:
            return "reset", place, {"head": head}
        told = look.store.history(cursor)
        return (
            "change",
            f"{told[-1].cursor if told else look.cursor}-{state}",
            {"head": head, "trials": _changes(look, told)},
        )


def _changes(look: Look, told: list[Recorded]) -> list[dict[str, Any]]:
    """The trials that changed, as they are now."""
    numbers = sorted({trial for record in told if (trial := trial_of(record.event)) is not None})
    return [row_of(look.history.trial(number)) for number in numbers if number < len(look.trials)]
