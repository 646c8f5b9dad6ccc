"""A store with studies to look at, and a client that speaks to a dashboard of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

import dialed
from dialed.observe.dashboard import application
from dialed.store import Catalog, open_catalog

EVIL = "<script>alert(1)</script>\"'&"


class Client:
    """Asks an application as a browser would, and waits for the answer."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.cookies: dict[str, str] = {}

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self._ask("GET", path, options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self._ask("POST", path, options)

    def _ask(self, method: str, path: str, options: dict[str, Any]) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://127.0.0.1:8000", cookies=self.cookies
            ) as client:
                return await client.request(method, path, **options)

        return anyio.run(ask)


def training(hp: dialed.HyperParameters) -> None:
    x = hp.Float("x", 0.0, 1.0, default=0.5)
    kind = hp.Choice("kind", ["plain", EVIL])
    for step in range(1, 4):
        hp.report(step, {"score": x + 0.1 * step + (0.05 if kind == "plain" else 0.0), "other": 1.0 / step})


def search(place: str, name: str, **options: object) -> None:
    fixed = {"direction": "max", "objective": "score", "strategy": "random", "epochs": 3, "seed": 0, "verbose": 0}
    dialed.optimize(training, name=name, store=place, **{**fixed, "max_trials": 14, **options})  # type: ignore[arg-type]


@pytest.fixture(scope="package")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the studies "plain" and one whose name is a script."""
    path = tmp_path_factory.mktemp("dashboard") / "a.db"
    search(str(path), "plain", confirm=True)
    search(str(path), EVIL, max_trials=3)
    dialed.load(EVIL, str(path)).note(1, EVIL, tags=[EVIL])
    return path


@pytest.fixture
def catalog(filled: Path, tmp_path: Path) -> Iterator[Catalog]:
    """A copy of that store."""
    copy = tmp_path / "a.db"
    with closing(sqlite3.connect(filled)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    with open_catalog(copy) as opened:
        yield opened


@pytest.fixture(scope="package")
def shared(filled: Path) -> Iterator[Catalog]:
    """The store itself, for tests that only read: it is looked after them whether they did."""
    with open_catalog(filled) as opened:
        before = [(info.name, info.cursor) for info in opened.studies()]
        yield opened
        assert [(info.name, info.cursor) for info in opened.studies()] == before


@pytest.fixture
def client_of(catalog: Catalog) -> Callable[..., Client]:
    """Makes a client of a dashboard of a store of its own, with its key in a cookie unless `cookie` is False."""
    return _clients(catalog)


@pytest.fixture(scope="package")
def reader_of(shared: Catalog) -> Callable[..., Client]:
    """The same for tests that change nothing, whatever they try."""
    return _clients(shared)


@pytest.fixture(scope="package")
def client(reader_of: Callable[..., Client]) -> Client:
    """Of the store itself, for tests that only read."""
    return reader_of()


def _clients(catalog: Catalog) -> Callable[..., Client]:
    def make(*, cookie: bool = True, **options: object) -> Client:
        client = Client(application(catalog, **{"token": "key", **options}))  # type: ignore[arg-type]
        if cookie:
            client.cookies["dialed-8000"] = "key"
        return client

    return make
