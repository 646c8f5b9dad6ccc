"""What all tests share: a backend for Keras, a folder to work in, and the data sets beside the project."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from dialed.testing.postgres import PostgresServer

ROOT = Path(__file__).resolve().parent.parent

os.environ.setdefault("KERAS_BACKEND", "jax")  # before anything imports Keras
# Most of a test's time goes into compiling, and a third of that suffices: fewer of XLA's optimisations, no thread for each
# part. Results in float64 differ by 1e-16. `XLA_FLAGS= make test` compiles as users do.
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=1 --xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1",
)
# Processes that a test starts find the package where pytest's `pythonpath` finds it.
os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT / "src"), *filter(None, [os.environ.get("PYTHONPATH")])])

# A slow machine is no fault of the code, and the same commit must pass or fail each time: no deadline, no fresh draws.
hypothesis.settings.register_profile("dialed", deadline=None, derandomize=True)
hypothesis.settings.load_profile("dialed")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked `nightly`, unless `-m` speaks of it."""
    if "nightly" in config.getoption("-m"):
        return
    nightly = [item for item in items if item.get_closest_marker("nightly")]
    config.hook.pytest_deselected(items=nightly)
    items[:] = [item for item in items if item not in nightly]


@pytest.fixture(scope="session", autouse=True)
def cache_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Compiled programs of the tests stay out of the user's cache folder."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def closed_pictures() -> Iterator[None]:
    """pyplot keeps each picture, and warns of many, until it is closed."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the current one while the test runs, so that default stores land in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets (`mnist.npz`, `wine_quality.npz`, ...) that may lie beside the project."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the data sets in ../shared/data, which are not here")
    return folder


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server for this process alone."""
    from dialed.testing.postgres import PostgresServer, find_postgres

    programs = find_postgres() if sys.platform != "win32" else None
    if programs is None:
        pytest.skip("needs PostgreSQL's server programs, initdb and pg_ctl (Debian: apt-get install postgresql)")
    with PostgresServer(programs) as server:
        yield server


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> str:
    """The address of a PostgreSQL database that tests may empty: `DIALED_TEST_POSTGRES`, or one of our own."""
    given = os.environ.get("DIALED_TEST_POSTGRES")
    return given if given else str(request.getfixturevalue("postgres_server").url)
