"""A real notebook, executed by a kernel: what a reader of the saved file sees."""

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")
pytest.importorskip("matplotlib")

SEARCH = """
import dialed

def train(hp):
    rate = hp.Float("rate", 0.0, 1.0)
    for epoch in (1, 2):
        hp.report(epoch, {"loss": rate / epoch})

study = dialed.optimize(train, objective="loss", epochs=2, max_trials=12, strategy="random", seed=0, name="<b>net</b>")
"""
CELLS = (SEARCH, "study", "study.best_trial", "study.plot.history()", "study.importance()")


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """The outputs of each cell, as they are saved."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
    folder = str(tmp_path_factory.mktemp("notebook"))
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": folder}}).execute()
    # Matplotlib says aloud that it builds its list of fonts, the first time on a machine.
    return [[o for o in cell.outputs if "font cache" not in o.get("text", "")] for cell in notebook.cells]


pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]


def test_a_search_is_one_output_that_ends_with_the_result(cells):
    (output,) = cells[0]
    assert output.output_type == "display_data"
    html = output.data["text/html"]
    assert "max_trials=12 is reached" in html
    assert "12 of 12" in html
    assert "best objective" in output.data["text/plain"] or "best loss" in output.data["text/plain"]


def test_no_output_needs_a_script_or_a_style_sheet(cells):
    for outputs in cells:
        for output in outputs:
            html = output.data.get("text/html", "")
            assert "<script" not in html
            assert "<style" not in html
            assert "<b>net</b>" not in html


def test_a_study_a_trial_and_an_answer_are_tables(cells):
    for place in (1, 2, 4):
        (output,) = cells[place]
        assert output.output_type == "execute_result"
        assert "<table" in output.data["text/html"]


def test_a_picture_is_shown_once(cells):
    (output,) = cells[3]
    assert "image/png" in output.data
