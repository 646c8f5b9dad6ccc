"""The dashboard in a real browser: every view, live, in light and dark and on a narrow screen; and what goes wrong."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

import pytest

import dialed
from dialed.observe.dashboard import serving
from dialed.trial import State

pytestmark = pytest.mark.slow

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&"


VIEWS = ("answer", "trials", "space", "tried", "time", "compare")


def at(address: str, path: str) -> str:
    return f"http://{urlsplit(address).netloc}{path}"


def ready(page, view: str) -> None:
    page.wait_for_selector(f"#view-{view}[data-ready=yes]")


def test_every_view_during_a_live_search(visitor, place, catalog, tmp_path, search, steps):
    """A user finds the study in the list, goes through its views, and sees the search go on."""
    search(place, "other", max_trials=12)
    live = steps(place, "live", trials=30)
    live.train(125)
    with visitor.serving(catalog) as address:
        page = visitor.page()
        page.goto(address)
        page.click("#studies a:text-is('live')")
        for view, said in zip(VIEWS, SAID, strict=True):
            page.click(f".tabs a[href='#{view}']")
            ready(page, view)
            page.wait_for_selector(f"#view-{view} {said}")
            assert page.locator(".tabs [aria-current=page]").inner_text() == TABS[view]
        page.select_option("#other", "other")
        page.wait_for_selector("#compared :text('Both')")
        page.click(".tabs a[href='#answer']")
        before = page.locator("#progress").inner_text()
        live.train(60)
        page.wait_for_function("before => document.getElementById('progress').innerText !== before", arg=before)
        live.finish()
        page.wait_for_selector("#state:text('finished')")
        pictures(visitor, address, tmp_path)


SAID = (
    *(f":text('{text}')" for text in ("What to try next", "Parallel coordinates", "What mattered", "trials try")),
    *(":text('1 worker')", "#other:has(option:text('choose a study'))"),
)
TABS = {"answer": "Answer", "trials": "Trials", "space": "Hyperparameters", "tried": "Tried points"}
TABS |= {"time": "Timeline", "compare": "Compare"}


def pictures(visitor, address, folder):
    """A picture of each view for people to look at, and no page wider than its screen."""
    for name, options in {"light": {}, "dark": {"dark": True}, "narrow": {"width": 400}}.items():
        page = visitor.page(**options)
        page.goto(address)
        for view in VIEWS:
            page.goto(at(address, f"/study?name=other&with=live#{view}"))
            ready(page, view)
            page.screenshot(path=str(folder / f"{view}-{name}.png"), full_page=True)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (view, name)


def test_the_table_the_coordinates_and_the_curves_share_one_selection(visitor, place, catalog, search):
    search(place, "study")
    with visitor.serving(catalog) as address:
        page = visitor.page()
        page.goto(address)
        page.goto(at(address, "/study?name=study#trials"))
        ready(page, "trials")
        page.wait_for_selector("#found:text('14 trials')")
        box = page.locator("#parallel canvas").bounding_box()
        x = box["x"] + 56  # the first axis stands there; drag over its upper half
        page.mouse.move(x, box["y"] + 60)
        page.mouse.down()
        page.mouse.move(x, box["y"] + 200, steps=5)
        page.mouse.up()
        page.wait_for_function("() => !document.getElementById('found').innerText.startsWith('14')")
        page.wait_for_selector("#curves-says:text('of the selected trials')")
        page.click("#clear")
        page.wait_for_selector("#found:text('14 trials')")
        page.click("#table tbody tr:nth-child(1) td:nth-child(3)")
        page.wait_for_selector("#detail :text('trained by function')")
        page.click("#table tbody tr:nth-child(3) td:nth-child(3)")
        page.wait_for_selector("#detail :text('What differs')")
        page.wait_for_selector("#curves-says:text('the picked trials')")
        page.click("#table th:has-text('units') button")
        page.wait_for_selector("#table th[aria-sort=ascending]:has-text('units')")
        page.fill("#text", "nothing like it")
        page.wait_for_selector("text=No trial fits")


def test_all_of_it_is_reached_by_the_keyboard(visitor, place, catalog, search):
    search(place, "study")
    with visitor.serving(catalog) as address:
        page = visitor.page()
        page.goto(address)
        page.goto(at(address, "/study?name=study#trials"))
        ready(page, "trials")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.locator(".ranges summary").focus()
        page.keyboard.press("Enter")
        page.locator("#ranges input").first.focus()
        for _ in range(40):
            page.keyboard.press("ArrowRight")
        page.wait_for_function("() => !document.getElementById('found').innerText.startsWith('14')")
        page.locator("#table tbody input").first.focus()
        page.keyboard.press("Space")
        page.wait_for_selector("#detail h2:text('Trial')")
        page.locator("#theme").focus()
        page.keyboard.press("Enter")
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_a_running_search_does_what_the_page_asks(visitor, place, catalog, steps):
    live = steps(place, "live", trials=6)
    live.train(12)
    with visitor.serving(catalog, allow_control=True) as address:
        page, second = visitor.page(), visitor.page()
        for each in (page, second):
            each.goto(address)
            each.goto(at(address, "/study?name=live#trials"))
            ready(each, "trials")
        page.click("#table tbody tr:has-text('running') td:nth-child(3)")
        page.click("text=Stop this trial")
        page.wait_for_selector("text=It stops at its next report.")
        live.train(1)
        second.wait_for_selector("#table .pill.stopped")
        page.fill("#detail textarea", EVIL)
        page.fill("#detail input[name=tags]", "odd, late")
        page.click("text=Save the note")
        second.wait_for_selector("#table .tag:text('late')")
        page.click("#control summary")
        page.fill("#budget [name=max_trials]", "8")
        page.click("text=Set the budget")
        second.wait_for_selector("#progress :text('of 8')")
        page.fill("#enqueue [name=learning_rate]", "0.0123")
        page.click("#enqueue button")
        page.wait_for_selector("text=Enqueued.")
        page.click("#pause")
        second.wait_for_selector("#state:text('paused')")
        page.click("#pause:text('Resume')")
        second.wait_for_selector("#state:text('running')")
        live.finish()
        second.wait_for_selector("#state:text('finished')")
    study = dialed.load("live", place)
    assert study.trials[1].state is State.STOPPED
    assert study.trials[1].note == EVIL
    assert len(study.trials) == 8
    assert [t.values["learning_rate"] for t in study.trials if t.source == "enqueued"] == [0.0123]


def test_what_a_study_says_is_text_everywhere(visitor, place, catalog, search):
    def evil(hp):
        x, _ = hp.Float(EVIL, 0.0, 1.0), hp.Choice("kind", [EVIL, "b"])
        if x > 0.9:
            raise ValueError(EVIL)
        hp.report(1, {"val_accuracy": x, EVIL: x})

    for name in (EVIL, "b"):
        search(place, name, function=evil, epochs=1)
    dialed.load(EVIL, place).note(1, EVIL, tags=[EVIL[:60]])
    with visitor.serving(catalog) as address:
        page = visitor.page()
        page.goto(address)
        page.locator("#studies tbody a").filter(has_text=EVIL).click()
        page.wait_for_url("**/study*")
        assert page.locator("h1").inner_text() == EVIL
        for view in VIEWS:
            page.goto(at(address, f"/study?name={quote(EVIL)}&with=b#{view}"))
            ready(page, view)
        page.goto(at(address, f"/study?name={quote(EVIL)}#trials"))
        page.click("#table tbody tr:nth-child(1) td:nth-child(3)")
        page.wait_for_selector("#detail .table")
        page.hover("#parallel canvas")
        assert page.locator("#main img, #main script").count() == 0
        visitor.expected = ("404",)
        page.goto(at(address, "/study?name=<script>alert(3)</script>"))
        assert page.locator("h1").inner_text() == "Not here"


def test_the_page_survives_a_restart_a_deletion_and_a_lost_key(visitor, place, catalog, search):
    visitor.expected = ("ERR_", "404", "401", "Failed to load")
    search(place, "study")
    with serving(catalog, token="key") as address:
        port = urlsplit(address).port
        page = visitor.page()
        page.goto(address)
        page.goto(at(address, "/study?name=study#trials"))
        ready(page, "trials")
    page.wait_for_selector("#link.lost")
    dialed.load("study", place).note(0, tags=["meanwhile"])
    with serving(catalog, token="key", port=port or 0):
        page.wait_for_selector("#link.live")
        page.wait_for_selector("#table .tag:text('meanwhile')")
        catalog.delete("study")
        page.wait_for_selector("#trouble:has-text('which is not there')")
        page.goto(at(address, "/"))
        page.wait_for_selector("text=No study yet")
        stranger = visitor.page()
        stranger.goto(at(address, "/"))
        assert "The key is missing" in stranger.locator("h1").inner_text()


def test_a_locked_store_is_no_hindrance(visitor, place, catalog, search):
    import sqlite3

    search(place, "study")
    holder = sqlite3.connect(place, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with visitor.serving(catalog) as address:
        page = visitor.page()
        page.goto(address)
        page.goto(at(address, "/study?name=study"))
        ready(page, "answer")
    holder.close()


def test_ten_thousand_trials_weigh_less_than_a_megabyte(visitor, place, catalog, search):
    from dialed.events import Event, SpaceSet, TrialStarted
    from dialed.search import Terms
    from dialed.space import Hyperparameter, Space
    from dialed.trial import MemberKey, Objective, Outcome, Report

    space = Space(Hyperparameter(name=f"x{i}", domain=dialed.Float(0.0, 1.0)) for i in range(4))
    store = catalog.create("big", Terms(objective=Objective("val_loss", "min"), epochs=50), {})
    store.append([SpaceSet(space=space.to_json())])
    events: list[Event] = []
    for n in range(10_000):
        values = {f"x{i}": (n * (0.37 + 0.11 * i)) % 1.0 for i in range(4)}
        report = Report(key=MemberKey(n, 0, 0), epoch=50, metrics={"val_loss": values["x0"] ** 2 + 0.1 * values["x1"]})
        start = TrialStarted(trial=n, values=values, until=50, epochs=50, seeds=(0,))
        events += [start, report, Outcome(key=report.key, state=State.COMPLETED, epoch=50)]
    store.append(events)
    with visitor.serving(catalog) as address:
        page = visitor.page()
        page.goto(address)
        for view in ("trials", "answer"):
            page.goto("about:blank")
            page.goto(at(address, f"/study?name=big#{view}"))
            ready(page, view)
            sizes = "performance.getEntriesByType('resource').map(entry => entry.encodedBodySize)"
            assert 100_000 < sum(page.evaluate(sizes)) < 1_000_000
        page.wait_for_selector("text=/evenly chosen/")
        assert re.search("10,000", page.locator("#progress").inner_text())


def test_a_report_opens_from_its_file_with_and_without_scripts(visitor, place, tmp_path, search):
    search(place, "study")
    path = dialed.load("study", place).report(tmp_path / "study.html")
    page = visitor.page()
    page.goto(path.as_uri())
    page.wait_for_selector("#timeline canvas")
    assert page.locator("canvas").count() >= 8
    plain = visitor.page(java_script_enabled=False, width=400)
    plain.goto(path.as_uri())
    assert "What to try next" in plain.locator("main").inner_text()
    assert plain.locator("table tbody tr").count() >= 14
