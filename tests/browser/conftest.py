"""A real Chromium, pages that report whatever should not happen in them, and searches to look at."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import dialed
from dialed.observe.dashboard import serving
from dialed.store import Catalog, open_catalog

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 120_000
"""Milliseconds to wait for what will come: a machine may be busy."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip(f"needs a browser: none of {', '.join(names)} is on the path (Debian: apt-get install chromium)")
    sync = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    with sync.sync_playwright() as play:
        opened = play.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield opened
        opened.close()


class Visitor:
    """Opens pages, and remembers what went wrong in them."""

    def __init__(self, browser: Any) -> None:
        self.browser = browser
        self.wrong: list[str] = []
        self.contexts: list[Any] = []
        self.expected: tuple[str, ...] = ()

    def page(self, *, width: int = 1280, dark: bool = False, **options: Any) -> Any:
        size = {"width": width, "height": 860}
        context = self.browser.new_context(viewport=size, color_scheme="dark" if dark else "light", **options)
        context.set_default_timeout(PATIENCE)
        self.contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: self._note(said.type in ("error", "warning"), said.text))
        page.on("pageerror", lambda error: self._note(True, str(error)))
        page.on("dialog", lambda dialog: (self._note(True, f"dialog {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: self._note(_is_foreign(request.url), f"request to {request.url}"))
        return page

    def _note(self, is_wrong: bool, what: str) -> None:
        if is_wrong and not any(word in what for word in self.expected):
            self.wrong.append(what)

    @contextmanager
    def serving(self, catalog: Catalog, **options: Any) -> Iterator[str]:
        """A dashboard, at the address that is given; its pages are left before it ends, or they would miss it."""
        with serving(catalog, token="key", **options) as address:
            yield address
            self.leave()

    def leave(self) -> None:
        while self.contexts:
            self.contexts.pop().close()


def _is_foreign(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme not in ("file", "about", "data") and parts.hostname != "127.0.0.1"


@pytest.fixture
def visitor(browser: Any) -> Iterator[Visitor]:
    """Nothing may go wrong in its pages: no error, no word of the content security policy, no request to elsewhere."""
    found = Visitor(browser)
    yield found
    found.leave()
    assert found.wrong == []


def training(hp: dialed.HyperParameters) -> None:
    """Ten epochs towards what the values allow; what is far out fails."""
    rate = hp.Float("learning_rate", 1e-4, 1e-1, sampling="log", default=1e-3)
    units = hp.Int("units", 16, 128, step=16)
    hp.Choice("activation", ["relu", "tanh"])
    if rate > 0.08:
        raise ValueError("The loss is nan.")
    for epoch in range(1, 11):
        if hp.report(epoch, {"val_accuracy": 1 - 0.1 / epoch - rate + units / 1e4, "accuracy": 1 - 0.05 / epoch}):  # type: ignore[attr-defined]
            return


def run_search(place: str, name: str, *, function: Callable[..., Any] = training, **options: Any) -> None:
    fixed = {
        "direction": "max",
        "objective": "val_accuracy",
        "strategy": "random",
        "epochs": 10,
        "seed": 0,
        "verbose": 0,
    }
    dialed.optimize(function, name=name, store=place, **{**fixed, "max_trials": 14, **options})


class Steps:
    """A search in a thread that trains an epoch whenever it is told to."""

    def __init__(self, place: str, name: str, *, trials: int) -> None:
        self.gate = threading.Semaphore(0)
        options = {"function": self._train, "max_trials": trials}
        self.thread = threading.Thread(target=run_search, args=(place, name), kwargs=options, daemon=True)
        self.thread.start()

    def _train(self, hp: Any) -> None:
        rate = hp.Float("learning_rate", 1e-4, 1e-1, sampling="log", default=1e-3)
        hp.Int("units", 16, 128, step=16)
        for epoch in range(1, 11):
            self.gate.acquire(timeout=60)
            if hp.report(epoch, {"val_accuracy": 1 - 0.1 / epoch - rate, "accuracy": 1 - 0.05 / epoch}):
                return

    def train(self, epochs: int) -> None:
        self.gate.release(epochs)

    def finish(self) -> None:
        self.gate.release(10_000)
        self.thread.join(timeout=120)
        assert not self.thread.is_alive()


@pytest.fixture
def search() -> Callable[..., None]:
    """Runs a search to its end."""
    return run_search


@pytest.fixture
def steps() -> type[Steps]:
    """Begins a search that goes on step by step."""
    return Steps


@pytest.fixture
def place(tmp_path: Path) -> str:
    return str(tmp_path / "a.db")


@pytest.fixture
def catalog(place: str) -> Iterator[Catalog]:
    with open_catalog(place) as opened:
        yield opened
