"""A search in MLflow, asked of the server that users start."""

import os
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

import dialed
from dialed.errors import MissingDependencyError
from dialed.trackers import MLflow


def train(hp):
    rate = hp.Float("rate", 0.0, 1.0)
    if hp.Choice("kind", ["good", "bad"]) == "bad":
        raise ValueError("bad")
    for epoch in (1, 2):
        hp.report(epoch, {"loss": rate / epoch, "odd": float("nan")})


def search(folder, address, trials):
    return dialed.optimize(
        train, objective="loss", epochs=2, max_trials=trials, repeats=2, strategy="random", seed=0, name="it's net",
        observers=[MLflow(address)], store=str(folder / "store.db"), verbose=0,
    )  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of a real server, with its runs in SQLite."""
    folder = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    place = ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--default-artifact-root", str(folder / "files")]
    command = [sys.executable, "-m", "mlflow", "server", *place, "--host", "127.0.0.1", "--port", str(port)]
    log = (folder / "log").open("w")
    quiet = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    process = subprocess.Popen([*command, "--workers", "1"], stdout=log, stderr=log, env=quiet)
    address = f"http://127.0.0.1:{port}"
    while process.poll() is None:
        try:
            urllib.request.urlopen(f"{address}/health", timeout=5).close()
            break
        except OSError:
            time.sleep(0.5)
    try:
        yield address
    finally:
        process.terminate()
        process.wait(timeout=60)
        log.close()


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_study_is_a_parent_with_a_child_for_each_trial_and_goes_on_in_them(server, tmp_path):
    from mlflow import MlflowClient

    search(tmp_path, server, 2)
    study = search(tmp_path, server, 4)
    client = MlflowClient(tracking_uri=server)
    home = client.get_experiment_by_name("dialed").experiment_id
    runs = client.search_runs([home])
    (parent,) = [run for run in runs if "dialed.trial" not in run.data.tags]
    assert (parent.info.run_name, parent.info.status) == ("it's net", "FINISHED")
    assert parent.data.tags["dialed.best_trial"] == str(study.best_trial.number)
    children = {int(run.data.tags["dialed.trial"]): run for run in runs if "dialed.trial" in run.data.tags}
    assert sorted(children) == [0, 1, 2, 3]
    for trial in study.trials:
        run = children[trial.number]
        assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert run.info.status == ("FAILED" if trial.cause else "FINISHED")
        assert set(run.data.params) == set(trial.values)
        if trial.score is not None:
            assert run.data.metrics["score"] == pytest.approx(trial.score)
            points = client.get_metric_history(run.info.run_id, "repeat-2/loss")
            assert [point.step for point in points] == [1, 2]


def test_without_mlflow_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "dialed\[mlflow\]"'):
        MLflow("sqlite://")
