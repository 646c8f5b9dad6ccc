"""The feed tells everything that happens, once, from wherever a browser left it."""

from __future__ import annotations

import json

import httpx
import pytest

from dialed.errors import StudyError
from dialed.events import Noted
from dialed.observe.dashboard import serving
from dialed.observe.dashboard.feed import _list, _study
from dialed.observe.dashboard.library import Library


def test_nothing_is_told_while_nothing_happens(catalog):
    library = Library(catalog)
    kind, place, _ = _study(library, "plain", "")
    assert kind == "change"
    assert _study(library, "plain", place) is None


def test_what_happened_meanwhile_is_told_to_who_comes_back(catalog):
    """Also by a dashboard that was started anew, which has never seen this browser."""
    store = catalog.open("plain")
    _, place, _ = _study(Library(catalog), "plain", "")
    store.append([Noted(trial=2, text="first")])
    store.append([Noted(trial=5, text="second")])
    kind, later, body = _study(Library(catalog), "plain", place)
    assert kind == "change"
    assert [(row["number"], row["note"]) for row in body["trials"]] == [(2, "first"), (5, "second")]
    assert _study(Library(catalog), "plain", later) is None


def test_a_browser_that_lost_the_connection_is_told_all_that_it_missed(catalog):
    """Over a real connection, as browsers come back: with the place of the last message that they had."""
    store = catalog.open("plain")
    with serving(catalog, token="") as address:
        place = heard(f"{address}feed?study=plain")["id"]
        for trial in (2, 5):
            store.append([Noted(trial=trial, text=f"note {trial}")])
        missed = heard(f"{address}feed?study=plain", {"Last-Event-ID": place})
        store.append([Noted(trial=7, text="later")])
        last = heard(f"{address}feed?study=plain&after={place}", {"Last-Event-ID": missed["id"]})
    assert [(row["number"], row["note"]) for row in missed["trials"]] == [(2, "note 2"), (5, "note 5")]
    assert [row["number"] for row in last["trials"]] == [7]


def heard(address, headers=()):
    """The first message of a feed."""
    said = {}
    with httpx.stream("GET", address, headers=dict(headers), trust_env=False, timeout=60) as answer:
        for line in answer.iter_lines():
            name, _, text = line.partition(": ")
            if name in ("id", "data"):
                said[name] = text
            if line == "" and "data" in said:
                return {"id": said["id"], **json.loads(said["data"])}
    raise AssertionError(f"The feed ended after {said}.")


def test_a_change_of_state_alone_is_told(catalog):
    library = Library(catalog)
    _, place, _ = _study(library, "plain", "")
    catalog.open("plain").claim("somebody", seconds=600)
    _, _, body = _study(library, "plain", place)
    assert body["head"]["state"] == "running"


@pytest.mark.parametrize("place", ["999999-finished", "nonsense", "-1-x", "9" * 40])
def test_a_place_that_cannot_be_starts_anew(catalog, place):
    told = _study(Library(catalog), "plain", place)
    assert told is not None
    assert told[0] in ("reset", "change")


def test_who_is_far_behind_is_told_to_draw_anew(catalog, monkeypatch):
    monkeypatch.setattr("dialed.observe.dashboard.feed.BEHIND", 3)
    kind, _, body = _study(Library(catalog), "plain", "1-finished")
    assert (kind, list(body)) == ("reset", ["head"])


def test_a_deleted_study_is_gone(catalog):
    library = Library(catalog)
    _, place, _ = _study(library, "plain", "")
    catalog.delete("plain")
    with pytest.raises(StudyError, match="which is not there"):
        _study(library, "plain", place)


def test_the_list_is_told_when_one_study_changes(catalog):
    library = Library(catalog)
    _, place, rows = _list(library, "")
    assert len(rows) == 2
    assert _list(library, place) is None
    catalog.open("plain").append([Noted(trial=0, text="x")])
    assert _list(library, place) is not None
