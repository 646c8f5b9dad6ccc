"""What pages ask for is answered, and errors say what to do."""

from __future__ import annotations

import sqlite3

import pytest

from dialed.errors import StoreError

EVIL = "<script>alert(1)</script>\"'&"


def get(client, what, status=200, **parameters):
    answer = client.get(f"/api/{what}", params=parameters)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_the_studies_are_listed_the_latest_first(client):
    assert [s["name"] for s in get(client, "studies")] == [EVIL, "plain"]


def test_the_head_says_how_far_the_search_is(client):
    head = get(client, "head", study="plain")
    assert head["state"] == "finished"
    assert head["progress"]["used"][0] == {"what": "trials", "text": "14 of 14", "share": 1.0}
    assert [axis["name"] for axis in head["axes"]] == ["x", "kind"]


def test_the_answer_has_the_winner_its_gain_and_what_is_next(client):
    answer = get(client, "answer", study="plain")
    means = [float(finalist["mean"]) for finalist in answer["finalists"]]
    assert len(means) > 1
    assert means == sorted(means, reverse=True)
    assert answer["winner"]["number"] in [finalist["trial"] for finalist in answer["finalists"]]
    assert answer["headline"]["sentences"][0].startswith("Gain over the defaults: +")
    assert "95 % interval" in answer["headline"]["sure"]
    assert answer["next"]


def test_a_page_of_the_table_is_sorted_and_counted(client):
    page = get(client, "trials", study="plain", size=5, page=1)
    assert (len(page["rows"]), page["total"], page["page"]) == (5, 14, 1)
    scores = [row["score"] for row in get(client, "trials", study="plain")["rows"]]
    assert scores == sorted(scores, reverse=True)


def test_the_curves_of_chosen_trials_have_every_metric(client):
    view = get(client, "curves", study="plain", trials="1,3")
    assert [line["trial"] for line in view["lines"]] == [1, 3]
    assert view["metrics"] == ["score", "other"]
    assert get(client, "curves", study="plain", trials="1", metric="other")["lines"][0]["values"] == [1, 0.5, 0.3333]


def test_the_winner_stands_out_among_all_curves(client):
    roles = {line["trial"]: line["role"] for line in get(client, "curves", study="plain")["lines"]}
    winner = get(client, "answer", study="plain")["winner"]["number"]
    assert roles[winner] == "winner"
    assert roles[0] == "defaults"


def test_each_view_is_drawn_from_all_trials(client):
    for view in ("history", "parallel", "slices", "contour", "tried"):
        assert len(get(client, view, study="plain")["numbers"]) == 14
    assert len(get(client, "timeline", study="plain")["bars"]) >= 14
    assert get(client, "importance", study="plain")["influences"][0]["name"] == "x"


def test_the_difference_tells_what_differs(client):
    found = get(client, "difference", study="plain", trials="0,1")
    assert {row["name"]: row["differs"] for row in found["rows"]}["x"] is True
    assert [trial["number"] for trial in found["trials"]] == [0, 1]


def test_two_studies_are_compared(client):
    found = get(client, "compare", study="plain", other=EVIL)
    assert any("cannot be told apart" in sentence for sentence in found["sentences"])
    assert [course["name"] for course in found["courses"]] == ["plain", EVIL]


@pytest.mark.parametrize(
    ("what", "parameters", "said"),
    [
        ("trial", {"trial": "99"}, "`trial` must be the number of a trial of 'plain', which has 14 trials. Got 99"),
        ("trial", {"trial": "x"}, "`trial` must be a whole number. Got 'x'"),
        ("trials", {"sort": "luck"}, "`sort` must be one of score, number"),
        ("trials", {"sort": "value.luck"}, "`sort` must name a hyperparameter of the study. Got 'luck'"),
        ("trials", {"ranges": "[1"}, "`ranges` must be a JSON object of pairs of numbers"),
        ("trials", {"ranges": '{"luck": [0, 1]}'}, "A filter must name a hyperparameter of the study. Got 'luck'"),
        ("difference", {"trials": "1;2"}, "`trials` must be numbers with commas between them"),
        ("tried", {"x": "luck"}, "A view must name hyperparameters of the study: x, kind. Got 'luck'"),
    ],
)
def test_what_cannot_be_is_refused(client, what, parameters, said):
    assert said in get(client, what, 400, study="plain", **parameters)["error"]


def test_an_unknown_study_is_not_here(client):
    assert "which is not there. Did you mean 'plain'?" in get(client, "head", 404, study="plian")["error"]
    page = client.get("/study", params={"name": "plian"})
    assert page.status_code == 404
    assert "Not here" in page.text


def test_a_store_that_does_not_answer_is_said_so(client_of, catalog, monkeypatch):
    def fails(name):
        raise StoreError("The store is locked. Wait.")

    client = client_of()
    monkeypatch.setattr(catalog, "open", fails)
    assert get(client, "head", 503, study="plain")["error"] == "The store is locked. Wait."


def test_a_writer_who_holds_the_store_is_no_hindrance(client_of, catalog):
    holder = sqlite3.connect(catalog.place, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert get(client_of(), "head", study="plain")["trials"] == 14
    holder.close()


def test_a_mistake_of_ours_is_a_page_without_its_traceback(client_of, catalog, monkeypatch, caplog):
    monkeypatch.setattr(catalog, "studies", lambda: 1 / 0)
    answer = client_of().get("/api/studies")
    assert answer.status_code == 500
    assert "Something went wrong that should not" in answer.text
    assert "ZeroDivisionError" not in answer.text
    assert "The dashboard failed to answer /api/studies" in caplog.text


def test_what_a_study_says_is_escaped_on_every_page(client):
    for path in ("/study", "/report"):
        page = client.get(path, params={"name": EVIL})
        assert page.status_code == 200
        assert "<script>alert" not in page.text
    missing = client.get("/study", params={"name": "<script>alert(2)</script>"})
    assert missing.status_code == 404
    assert "<script>alert" not in missing.text


def test_a_study_is_followed_and_its_deletion_noticed(client_of, catalog):
    client = client_of()
    assert get(client, "head", study="plain")["trials"] == 14
    catalog.delete("plain")
    assert get(client, "head", 404, study="plain")["title"] == "Not here"
