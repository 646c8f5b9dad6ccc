"""What it takes to open a large study in the dashboard: processor seconds of the server, and bytes on the wire.

    python benchmarks/dashboard.py                      # 10,000 trials of 50 epochs
    python benchmarks/dashboard.py --trials 1000 --browser /usr/bin/chromium

The row "start" is what a dashboard loads ahead, beside a user who opens its address. Opened is what the page of a study asks for until its first view stands: the page, its scripts and styles, and the data of
that view, compressed as browsers ask for it. Seconds are those of the processor, so that a busy machine does not count.
With `--browser` a real one opens the page with an empty cache, each time of a new dashboard, and the wall clock tells when
the page is painted first, when the first picture is there, and when all of the view is.
"""

from __future__ import annotations

import argparse
import math
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import httpx
from starlette.applications import Starlette

import dialed
from dialed.events import Built, Event, SessionEnded, SessionStarted, SpaceSet, TrialStarted
from dialed.observe.dashboard import application, serving
from dialed.observe.dashboard.server import load_ahead
from dialed.search import Terms
from dialed.space import Hyperparameter, Space
from dialed.store import Catalog, open_catalog
from dialed.trial import MemberKey, Objective, Outcome, Report, State

SPACE = Space(
    Hyperparameter(name=name, domain=domain)
    for name, domain in {
        "learning_rate": dialed.Float(1e-5, 1e-1, sampling="log"),
        "units": dialed.Int(16, 512, step=16),
        "layers": dialed.Int(1, 4),
        "dropout": dialed.Float(0.0, 0.6),
        "activation": dialed.Choice(["relu", "tanh", "gelu"]),
        "batch_size": dialed.Choice([32, 64, 128]),
        "momentum": dialed.Float(0.0, 0.99),
        "l2": dialed.Float(1e-6, 1e-2, sampling="log"),
    }.items()
)
PAGE = ("/study?name=big", "/static/dialed.css", "/static/vendor/echarts/echarts.min.js")
VIEWS = {
    "answer": ("head", "answer", "history", "curves"),
    "trials": ("trials", "parallel", "curves"),
    "space": ("importance", "slices", "contour"),
    "tried": ("tried",),
    "time": ("timeline",),
}


def fill(catalog: Catalog, trials: int, epochs: int) -> None:
    """A study of made curves."""
    terms = Terms(objective=Objective("val_accuracy", "max"), epochs=epochs, max_trials=trials)
    store = catalog.create("big", terms, {"max_trials": trials})
    store.append([SessionStarted(worker="here", settings={}), SpaceSet(space=SPACE.to_json())])
    rng, batch = random.Random(0), list[Event]()
    for number in range(trials):
        batch += trial(number, epochs, rng)
        if len(batch) > 5_000:
            store.append(batch)
            batch = []
    store.append([*batch, SessionEnded(reason="max_trials is reached", finished=True, seconds=1000.0)])


def trial(number: int, epochs: int, rng: random.Random) -> list[Event]:
    """The events of one trial."""
    values = SPACE.default_values() if number == 0 else {h.name: h.domain.from_unit(rng.random()) for h in SPACE}
    source = "default" if number == 0 else "strategy"
    key = MemberKey(number, 0, 0)
    top = 0.9 - 0.05 * abs(math.log10(float(values["learning_rate"] or 1)) + 3) + rng.gauss(0, 0.01)
    curve = [top * (1 - math.exp(-epoch / 8)) + rng.gauss(0, 0.003) for epoch in range(1, epochs + 1)]
    return [
        TrialStarted(trial=number, values=values, until=epochs, epochs=epochs, seeds=(0,), source=source),  # type: ignore[arg-type]
        Built(trial=number, values=values, parameters=1000 + number, engine="fused"),
        *(
            Report(
                key=key, epoch=e, metrics={"val_accuracy": a, "accuracy": a + 0.01, "val_loss": 1.0 - a}, seconds=0.1
            )
            for e, a in enumerate(curve, 1)
        ),
        Outcome(key=key, state=State.COMPLETED, epoch=epochs),
    ]


def measure(catalog: Catalog) -> None:
    """The page and each of its views, from a dashboard that has just been started."""
    folder = Path(dialed.__file__).parent / "observe" / "dashboard" / "static" / "js"
    scripts = [f"/static/js/{path.relative_to(folder)}" for path in folder.rglob("*.js")]
    print(f"{'':10} {'seconds':>8} {'kB':>8}")
    began = time.process_time()
    load_ahead()
    print(f"{'start':10} {time.process_time() - began:8.2f}")
    for name, questions in VIEWS.items():
        paths = (*PAGE, *scripts, *(f"/api/{question}?study=big" for question in questions))
        began = time.process_time()
        size = anyio.run(wire_bytes, application(catalog, token=None), paths)
        print(f"{name:10} {time.process_time() - began:8.2f} {size / 1000:8.0f}", flush=True)


async def wire_bytes(app: Starlette, paths: Sequence[str]) -> int:
    """The bytes of the answers, compressed."""
    transport = httpx.ASGITransport(app)
    size = 0
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=600) as client:
        for path in paths:
            async with client.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as response:
                response.raise_for_status()
                size += sum([len(part) async for part in response.aiter_raw()])
    return size


def browse(catalog: Catalog, browser: str) -> None:
    """The wall clock of a real browser, with an empty cache."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=browser, args=["--headless", "--no-sandbox", "--disable-gpu"])
        for name in VIEWS:
            with serving(catalog, token="key") as address:
                page = opened.new_context().new_page()
                page.goto(address)
                page.goto("about:blank")
                time.sleep(1.0)  # what is loaded ahead is there before a user has copied the address
                began = time.perf_counter()
                page.goto(f"http://{urlsplit(address).netloc}/study?name=big#{name}", wait_until="commit")
                page.wait_for_selector(f"#view-{name} canvas, #view-{name} tbody tr", timeout=120_000)
                drawn = time.perf_counter() - began
                page.wait_for_selector(f"#view-{name}[data-ready=yes]", timeout=120_000)
                ready = time.perf_counter() - began
                paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN")
                print(f"{name:10} painted {paint / 1000:5.2f} s, drawn {drawn:5.2f} s, all {ready:5.2f} s", flush=True)
                page.context.close()
        opened.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--store", help="a file to keep the study in, or to find it in")
    parser.add_argument("--browser", help="the path of a Chromium")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, open_catalog(arguments.store or f"{folder}/big.db") as catalog:
        if not catalog.exists("big"):
            fill(catalog, arguments.trials, arguments.epochs)
        measure(catalog)
        if arguments.browser:
            browse(catalog, arguments.browser)


if __name__ == "__main__":
    main()
