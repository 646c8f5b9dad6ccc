"""Draws the pictures of docs/dashboard.md: python docs/pictures/dashboard.py, with Chromium on the path."""

from __future__ import annotations

import math
import random
import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, sync_playwright

import dialed
from dialed.observe.dashboard import serving
from dialed.store import open_catalog

HERE = Path(__file__).parent
VIEWS = ("answer", "trials", "space", "tried", "time", "compare")


def training(hp: dialed.HyperParameters) -> None:
    """A made training: an accuracy that rises towards what the values allow."""
    rate = hp.Float("learning_rate", 1e-4, 1e-1, sampling="log", default=1e-3)
    units = hp.Int("units", 16, 256, step=16, default=64)
    activation = hp.Choice("activation", ["relu", "tanh", "gelu"])
    dropout = hp.Float("dropout", 0.0, 0.6, default=0.0)
    if rate > 0.07:
        raise ValueError("The loss is nan.")
    rng = random.Random(hp.seed * 7919 + int(rate * 1e7))  # type: ignore[attr-defined]
    top = 0.93 - 0.06 * (math.log10(rate) + 2.3) ** 2 - 0.05 * abs(dropout - 0.2) + 1.5e-4 * units
    top += rng.gauss(0, 0.004) - (0.02 if activation == "tanh" else 0.0)
    for epoch in range(1, 21):
        value = top * (1 - math.exp(-epoch / 5)) + rng.gauss(0, 0.002)
        hp.report(epoch, {"val_accuracy": value, "accuracy": value + 0.002 * epoch, "val_loss": 1.1 - value})  # type: ignore[attr-defined]


def search(store: str, name: str, strategy: str) -> None:
    dialed.optimize(
        training,
        direction="max",
        objective="val_accuracy",
        epochs=20,
        strategy=strategy,
        max_trials=40,
        confirm=True,
        seed=1,
        name=name,
        store=store,
        verbose=0,
    )


def draw(page: Page, address: str) -> None:
    page.goto(address)
    host = urlsplit(address).netloc
    for view in VIEWS:
        page.goto(f"http://{host}/study?name=digits&with=digits-random#{view}")
        page.wait_for_selector(f"#view-{view}[data-ready=yes]", timeout=120_000)
        if view == "trials":
            for row in (2, 4):
                page.click(f"#table tbody tr:nth-child({row}) td:nth-child(3)")
            page.wait_for_selector("text=What differs")
        page.wait_for_timeout(1500)
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=str(HERE / f"dashboard-{view}.png"))


def main() -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder:
        store = f"{folder}/dialed.db"
        search(store, "digits", "bayesian")
        search(store, "digits-random", "random")
        with open_catalog(store) as catalog, serving(catalog, token="key") as address, sync_playwright() as play:
            opened = play.chromium.launch(executable_path=browser, args=["--headless", "--no-sandbox", "--disable-gpu"])
            page = opened.new_page(viewport={"width": 1200, "height": 860}, color_scheme="light")
            draw(page, address)
            opened.close()


if __name__ == "__main__":
    main()
