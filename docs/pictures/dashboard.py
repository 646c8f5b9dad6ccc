"""Draws the pictures of docs/dashboard.md: python docs/pictures/dashboard.py, with Chromium on the path.

With --look it draws every view in light and dark, 900 and 400 pixels wide, and the report, into another folder.
"""

from __future__ import annotations

import argparse
import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from made import fill
from PIL import Image
from playwright.sync_api import Page, sync_playwright

import dialed
from dialed.observe.dashboard import serving
from dialed.store import open_catalog
from dialed.testing import VirtualClock

HERE = Path(__file__).resolve().parent
VIEWS = ("answer", "trials", "space", "tried", "time", "compare")
WIDTH = 900
MOST_BYTES = 150_000


@contextmanager
def chromium() -> Iterator[object]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=path, args=["--headless", "--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


def show(page: Page, address: str, view: str) -> None:
    """Open a view, and wait until it is drawn."""
    host = urlsplit(address).netloc
    if view == "studies":
        page.goto(f"http://{host}/")
        page.wait_for_selector("#studies tbody a")
        page.get_by_text("dialed.db").evaluate(
            "node => { node.textContent = 'dialed.db' }"
        )  # without this machine's folder
        return
    page.goto("about:blank")
    page.goto(f"http://{host}/study?name=digits&with=digits-bayesian#{view}")
    page.wait_for_selector(f"#view-{view}[data-ready=yes]", timeout=120_000)
    if view == "trials":
        for row in (1, 4):
            page.click(f"#table tbody tr:nth-child({row}) td:nth-child(3)")
        page.wait_for_selector("#detail :text('What differs')")
    if view == "compare":
        page.wait_for_selector("#courses canvas")
    page.wait_for_timeout(700)


def shoot(page: Page, path: Path, *, whole: bool = True) -> None:
    """The whole page, or what stands first in it, as a small PNG; where it is not, of 256 colours."""
    page.evaluate("scrollTo(0, 0)")
    if not whole:
        page.set_viewport_size({"width": WIDTH, "height": 1100})
    image = Image.open(io.BytesIO(page.screenshot(full_page=whole))).convert("RGB")
    image.save(path, optimize=True)
    if path.stat().st_size > MOST_BYTES:
        image.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    print(path, f"{path.stat().st_size / 1000:.0f} kB")


def look(browser: object, address: str, folder: Path, report: Path) -> None:
    """Every view in each theme and width, for eyes."""
    for theme in ("light", "dark"):
        for width in (WIDTH, 400):
            page = browser.new_page(viewport={"width": width, "height": 700}, color_scheme=theme)  # type: ignore[attr-defined]
            page.goto(address)
            for view in ("studies", *VIEWS):
                show(page, address, view)
                shoot(page, folder / f"{view}-{theme}-{width}.png")
            page.goto(report.as_uri())
            page.wait_for_selector("#timeline canvas")
            shoot(page, folder / f"report-{theme}-{width}.png")
            page.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--look", type=Path, help="a folder for all of them, to look at")
    arguments = parser.parse_args()
    wanted = arguments.look and arguments.look.resolve()
    clock = VirtualClock()
    with tempfile.TemporaryDirectory() as folder, chdir(folder), open_catalog("dialed.db", clock=clock) as catalog:
        fill(catalog, clock)
        report = dialed.load("digits", "dialed.db").report("digits.html").resolve()
        with serving(catalog, token="key") as address, chromium() as browser:
            if wanted:
                wanted.mkdir(parents=True, exist_ok=True)
                look(browser, address, wanted, report)
                return
            page = browser.new_page(viewport={"width": WIDTH, "height": 400}, color_scheme="light")  # type: ignore[attr-defined]
            page.goto(address)
            for view in ("studies", *VIEWS):
                show(page, address, view)
                shoot(page, HERE / f"dashboard-{view}.png")
            page.goto(report.as_uri())
            page.wait_for_selector("#timeline canvas")
            shoot(page, HERE / "dashboard-report.png", whole=False)


if __name__ == "__main__":
    main()
