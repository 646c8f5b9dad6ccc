"""TensorBoard shows a study as it is: asked through the server that users start."""

import json
import re
import subprocess
import sys
import urllib.parse
import urllib.request

import pytest

import dialed
from dialed.errors import InvalidInputError
from dialed.observe.tensorboard.observer import study_folder
from dialed.trackers import TensorBoard

STATUS = ["STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING", "STATUS_UNKNOWN"]


def train(hp):
    rate = hp.Float("learning_rate", 1e-4, 1.0, sampling="log", default=1e-3)
    if hp.Boolean("deep"):
        hp.Int("layers", 2, 4)
    hp.Choice("kind", ["plain", "fancy"])
    if rate > 0.3:
        raise ValueError("too fast")
    for epoch in range(1, 4):
        hp.report(epoch, {"loss": abs(rate - 0.01) + abs(2 - epoch), "other": float(epoch)})


def search(folder, trials, **settings):
    return dialed.optimize(
        train, objective="loss", epochs=3, max_trials=trials, repeats=2, seed=1, name="net", strategy="random",
        observers=[TensorBoard(folder)], store=str(folder / "store.db"), verbose=0, **settings,
    )  # fmt: skip


def sizes(folder):
    return {
        path.relative_to(folder): path.stat().st_size for path in folder.rglob("*tfevents*") if path.parent != folder
    }


def test_a_resumed_search_goes_on_in_the_same_files(tmp_path):
    search(tmp_path, 3)
    before = sizes(tmp_path / "net")
    study = search(tmp_path, 5)
    after = sizes(tmp_path / "net")
    assert len(study.trials) == 5
    assert len(before) == 6
    assert {path: after[path] for path in before} == before
    assert len(after) == 10


def test_an_export_of_a_watched_study_adds_nothing(tmp_path):
    study = search(tmp_path, 3)
    before = sizes(tmp_path / "net")
    assert study.export_tensorboard(tmp_path) == tmp_path / "net"
    assert sizes(tmp_path / "net") == before


def test_names_are_folders():
    assert study_folder("a/b c:d") == "a-b-c-d"
    assert study_folder("../..") == "study"


def test_an_observer_wants_to_know_its_study(tmp_path, story):
    with pytest.raises(InvalidInputError, match="must be told its study by `watch`"):
        TensorBoard(tmp_path).on_event(story.begin())


@pytest.mark.slow
def test_tensorflow_is_not_imported(tmp_path):
    code = (
        "import dialed, sys\nfrom dialed.trackers import TensorBoard\n"
        "study = dialed.optimize(lambda hp: hp.Float('x', 0, 1), max_trials=2, name='s', verbose=0, "
        "observers=[TensorBoard('logs')])\nstudy.export_tensorboard('again')\n"
        "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules, 'heavy'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A study with failures, conditions and repeats, and a function that asks the real server about it."""
    folder = tmp_path_factory.mktemp("logs")
    study = search(folder, 6)
    study.export_tensorboard(folder, images=True)
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder / "net"), "--host", "127.0.0.1"]
    server = subprocess.Popen(
        [*command, "--port", "0", "--load_fast", "false", "--reload_interval", "1"], stderr=subprocess.PIPE, text=True
    )
    address = next(found[0] for line in server.stderr if (found := re.findall(r"http://127\.0\.0\.1:\d+", line)))

    def ask(path, **query):
        with urllib.request.urlopen(f"{address}/data/{path}?{urllib.parse.urlencode(query)}", timeout=60) as answer:
            return json.load(answer)

    try:
        yield study, ask
    finally:
        server.terminate()
        server.communicate(timeout=60)


def whole(ask, count):
    """The session groups, once the server has read all files."""
    while True:
        request = {"experimentName": "", "allowedStatuses": STATUS, "colParams": [], "startIndex": 0, "sliceSize": 99}
        found = ask("plugin/hparams/session_groups", request=json.dumps(request))
        if len(found.get("sessionGroups", [])) == count:
            return {group["name"]: group for group in found["sessionGroups"]}


@pytest.mark.slow
def test_the_server_shows_table_groups_and_status(served):
    study, ask = served
    groups = whole(ask, 6)
    experiment = ask("plugin/hparams/experiment", request="{}")
    assert {info["name"] for info in experiment["hparamInfos"]} == set(study.space.names)
    assert experiment["metricInfos"][0]["name"]["tag"] == "best/loss"
    for trial in study.trials:
        group = groups[f"trial {trial.number}"]
        status = {session["status"] for session in group["sessions"]}
        assert status == {"STATUS_FAILURE" if trial.cause else "STATUS_SUCCESS"}
        assert group["hparams"]["learning_rate"] == pytest.approx(trial.values["learning_rate"])
        assert ("layers" in group["hparams"]) == ("layers" in trial.values)
        if trial.score is not None:
            assert len(group["sessions"]) == 2
            values = {value["name"]["tag"]: value["value"] for value in group["metricValues"]}
            assert values["best/loss"] == pytest.approx(trial.score, rel=1e-6)
            assert values["other"] == 3.0


@pytest.mark.slow
def test_the_server_shows_scalars_after_each_epoch_and_pictures(served):
    study, ask = served
    whole(ask, 6)
    best = study.best_trial
    run = f"trial-{best.number:04d}-repeat-1"
    points = ask("plugin/scalars/scalars", tag="loss", run=run)
    assert [(step, round(value, 5)) for _, step, value in points] == [
        (report.epoch, round(report.metrics["loss"], 5)) for report in study.history(best) if report.key.seed == best.members[0].key.seed
    ]  # fmt: skip
    assert set(ask("plugin/images/tags")["pictures"]) == {"history", "curves", "parallel", "slice"}
