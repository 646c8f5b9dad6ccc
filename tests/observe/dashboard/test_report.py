"""A report is one file with the answer first, and loads nothing."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

import dialed
from dialed.events import SessionStarted, SpaceSet
from dialed.observe.dashboard import report_html
from dialed.search import Terms
from dialed.space import Hyperparameter, Space
from dialed.store import open_catalog
from dialed.strategies import Random
from dialed.study.study import Study
from dialed.testing import Simulation
from dialed.trial import Objective

EVIL = "<script>alert(1)</script>\"'&"


@pytest.fixture(scope="module")
def html(filled) -> str:
    return report_html(dialed.load("plain", str(filled)))


def data_of(html):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)[1])


def test_the_answer_is_read_without_javascript(html):
    text = re.sub(r"<script.*?</script>|<style.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL)
    for said in (
        "Gain over the defaults: +",
        "95 % interval",
        "What mattered",
        "Diagnosis",
        "What to try next",
        "Under fresh seeds",
    ):
        assert said in text
    assert text.index("Gain over") < text.index("Parallel coordinates")


def test_nothing_is_loaded(html):
    assert "default-src &#39;none&#39;" in html
    assert not re.search(r"<script[^>]*src=", html)
    drawn = re.sub(r"<script.*?</script>", " ", html, flags=re.DOTALL)  # in the library's texts there are tags
    assert not re.search(r"<(?:link|img|iframe)[^>]*(?:src|href)=", drawn)
    assert len(html) < 3_000_000


def test_the_views_stand_in_the_file(html):
    data = data_of(html)
    assert len(data["history"]["numbers"]) == 14
    assert {"curves", "parallel", "importance", "slices", "contour", "tried", "timeline"} <= data.keys()


def test_what_a_study_says_stays_text(filled):
    html = report_html(dialed.load(EVIL, str(filled)))
    assert "<script>alert" not in html
    assert "It takes 10 trials that ended with a score to tell what mattered; there are 3." in html


def test_an_empty_study_has_a_report(tmp_path):
    study = dialed.create_study({"x": dialed.Int(1, 3)}, name="empty", store=str(tmp_path / "a.db"))
    assert "No trial has a score yet, so there is no winner." in report_html(study)


def test_a_file_is_written_whole_or_not_at_all(filled, tmp_path, monkeypatch):
    study: Study = dialed.load("plain", str(filled))
    path = study.report(tmp_path / "a.html")
    assert path.read_text().startswith("<!doctype html>")
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(OSError, match="nowhere"):
        study.report(tmp_path / "nowhere" / "b.html")
    assert list(tmp_path.iterdir()) == [path]


def test_a_report_needs_no_extra(filled, tmp_path):
    """A fresh install writes one at the end of its first search; the server is an extra."""
    code = """
import sys
for name in ("starlette", "uvicorn"):
    sys.modules[name] = None
import dialed
print(dialed.load("plain", sys.argv[1]).report(sys.argv[2]))
"""
    command = [sys.executable, "-c", code, str(filled), str(tmp_path / "a.html")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.strip() == str(tmp_path / "a.html")


def test_a_thousand_trials_weigh_less_than_three_megabytes(tmp_path):
    """Trials without training, in the store as a search leaves them; the curves, the table and the plane are cut."""
    space = Space(Hyperparameter(name=f"x{i}", domain=dialed.Float(0.0, 1.0)) for i in range(6))
    terms = Terms(objective=Objective("val_loss", "min"), epochs=2, max_trials=1_000)

    def curve(values):
        return [values["x0"] ** 2 + 0.1 * values["x1"] + 1.0 / epoch for epoch in (1, 2)]

    made = Simulation(Random(), space, curve, terms=terms)
    made.run()
    with open_catalog(tmp_path / "a.db") as catalog:
        start = [SessionStarted(worker="here", settings={}), SpaceSet(space=space.to_json())]
        catalog.create("big", terms, {}).append([*start, *made.events])
    html = dialed.load("big", str(tmp_path / "a.db")).report(tmp_path / "a.html").read_text()
    assert 1_000_000 < len(html.encode()) < 3_000_000
    data = data_of(html)
    assert len(data["history"]["numbers"]) == len(data["timeline"]["bars"]) == 1_000
    assert len(data["curves"]["lines"]) == 60
    assert "The 200 best of 1,000 trials." in html
    answer = html.index("What mattered")
    assert html.index('class="big"') < answer < html.index("Diagnosis") < html.index("What to try next")
