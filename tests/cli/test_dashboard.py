"""`dialed report` writes a file, and `dialed dashboard` serves the store that it was given."""

from __future__ import annotations

import dialed as package


def made(path):
    study = package.create_study({"x": package.Int(1, 3)}, name="a b", store=str(path))
    study.tell(study.ask(), 0.5)
    study.close()


def test_a_report_is_named_after_its_study(working_folder, dialed):
    made(working_folder / "dialed.db")
    result = dialed("report", "a b")
    assert result.exit_code == 0, result.output
    assert (working_folder / "a-b.html").read_text().startswith("<!doctype html>")
    assert dialed("report", "a b", "-o", "x.html").exit_code == 0


def test_a_report_needs_a_file_that_can_be_written(working_folder, dialed):
    made(working_folder / "dialed.db")
    result = dialed("report", "a b", "-o", "nowhere/x.html")
    assert result.exit_code == 2
    assert "FILE must be one that can be written. Got 'nowhere/x.html'" in result.output


def test_a_dashboard_needs_a_store(working_folder, dialed):
    result = dialed("dashboard", "none.db")
    assert result.exit_code == 1
    assert "There must be a store to look at. Got 'none.db'" in result.output


def test_the_store_is_given_once(working_folder, dialed):
    assert "Give the store once" in dialed("dashboard", "a.db", "--store", "b.db").output


def test_the_options_reach_the_server(working_folder, dialed, monkeypatch):
    made(working_folder / "a.db")
    seen = {}

    def serve(catalog, *, ready, **options):
        seen.update(options, place=catalog.place)
        ready("http://127.0.0.1:1/?token=k")

    monkeypatch.setattr("dialed.observe.dashboard.server.serve", serve)
    result = dialed("dashboard", "a.db", "--port", "0", "--allow-control", "--host-name", "mine")
    assert "Open http://127.0.0.1:1/?token=k" in result.output
    assert seen["place"].endswith("a.db")
    assert (seen["port"], seen["allow_control"], seen["hosts"]) == (0, True, ("mine",))
