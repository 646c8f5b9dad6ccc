"""`dialed doctor`: what is installed, what is seen, what works, and what to install for the rest."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import click

from dialed import __version__, backend
from dialed.cli.options import look_options
from dialed.cli.output import plain_output, print_json
from dialed.cli.stores import is_there, say_place
from dialed.errors import MissingDependencyError, StoreError
from dialed.observe.text import columns, format_bytes
from dialed.store.database import parse_address

__all__ = ["PARTS", "cpus", "doctor", "examine", "memory_bytes"]

PARTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "tensorflow": ("models on the TensorFlow backend, tf.data", ("tensorflow",)),
    "torch": ("models on the torch backend, DataLoader", ("torch",)),
    "optuna": ("dialed.optuna.DialedSampler, dialed.strategies.FromOptuna", ("optuna",)),
    "pandas": ("study.to_pandas()", ("pandas",)),
    "postgres": ("a store that several machines share", ("psycopg",)),
}
"""Each optional part that works in this version, by its extra: what it is for, and the modules that it needs."""

_PACKAGES = ("keras", "jax", "jaxlib", "tensorflow", "torch", "numpy", "scipy", "scikit-learn", "SQLAlchemy")


@click.command(short_help="Say what is installed, what is seen, and what is missing.")
@look_options
def doctor(store: str | None, as_json: bool) -> None:
    """Say what is installed, which backend and devices are seen, and which parts of Dialed need what.

    Exits with 1 where no model could be trained.
    """
    with plain_output(as_json):
        found = examine(store)
    if as_json:
        print_json(found)
    else:
        for line in _told(found):
            click.echo(line)
    if found["problems"]:
        click.get_current_context().exit(1)


def examine(store: str | None) -> dict[str, Any]:
    """All findings, as JSON types. `problems` is empty where a search could begin."""
    facts = backend.backend_facts()
    problems = []
    try:
        backend.check_backend()
    except MissingDependencyError as error:
        problems.append(str(error))
    place = _store(store)
    if place["problem"]:
        problems.append(place["problem"])
    return {
        "dialed": __version__,
        "python": platform.python_version(),
        "executable": sys.executable,
        "system": platform.platform(),
        "packages": {name: _version(name, facts.versions) for name in _PACKAGES},
        "backend": {"name": facts.name, "source": _source(facts.source), "installed": facts.installed},
        "devices": _devices(),
        "cpus": cpus(),
        "memory_bytes": memory_bytes(),
        "workers": _workers(),
        "store": place,
        "parts": {extra: _part(extra) for extra in PARTS},
        "problems": problems,
    }


def _source(source: str) -> str:
    return source if backend.chosen is None else f"{source}: {backend.chosen.reason}"


def _version(name: str, known: Mapping[str, str | None]) -> str | None:
    if name in known:
        return known[name]
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _devices() -> list[str]:
    """The devices that JAX sees, looked for in this process."""
    if not backend.is_installed("jax"):
        return []
    import jax

    return [f"{device.platform} {device.device_kind} {device.id}" for device in jax.devices()]


def cpus() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _workers() -> dict[str, Any]:
    """What there is to deal out to workers, and whether their memory can be watched; how to make that so, if not."""
    from dialed.executor.processes.memory import resident_bytes
    from dialed.executor.processes.share import devices_here

    watched = resident_bytes(os.getpid()) is not None
    return {
        "processes": sys.platform != "win32",
        "accelerators": devices_here(os.environ),
        "memory_limit": watched,
        "install": "" if watched else "pip install psutil",
    }


def memory_bytes() -> int | None:
    """The machine's memory, or the limit of the container where that is lower; `None` where it cannot be told."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None
    limit = Path("/sys/fs/cgroup/memory.max")
    text = limit.read_text().strip() if limit.is_file() else "max"
    return min(total, int(text)) if text.isdecimal() else total


def _store(store: str | None) -> dict[str, Any]:
    """Where studies would be kept, and whether they could; nothing is made."""
    url = parse_address(store)
    found: dict[str, Any] = {"place": say_place(store), "exists": is_there(store), "problem": None, "free_bytes": None}
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return found
    from dialed.store.sqlite import check_place

    path = Path(os.path.abspath(url.database))
    try:
        check_place(path)
        found["free_bytes"] = shutil.disk_usage(path.parent).free
        with tempfile.TemporaryFile(dir=path.parent):
            pass
        if path.exists() and not os.access(path, os.W_OK):
            found["problem"] = f"The store '{path}' must be writable, but it is read-only. Change its permissions."
    except StoreError as error:
        found["problem"] = str(error)
    except OSError as error:
        found["problem"] = (
            f"The folder of the store '{path}' must be writable. Got: {error}. Choose another by --store."
        )
    return found


def _part(extra: str) -> dict[str, Any]:
    purpose, modules = PARTS[extra]
    missing = [module for module in modules if not backend.is_installed(module)]
    return {"for": purpose, "available": not missing, "install": f'pip install "dialed[{extra}]"'}


def _told(found: Mapping[str, Any]) -> list[str]:
    packages = [f"{name} {version or 'not installed'}" for name, version in found["packages"].items()]
    state = "ready" if found["backend"]["installed"] else "not installed"
    store = found["store"]
    rows = [
        ("Dialed", f"{found['dialed']}, Python {found['python']} ({found['executable']})"),
        ("Packages", ", ".join(packages[:5])),
        ("", ", ".join(packages[5:])),
        ("Backend", f"{found['backend']['name']}, {state}"),
        ("", f"chosen by {found['backend']['source']}"),
        ("Devices", ", ".join(found["devices"]) or "JAX is not installed"),
        ("Machine", f"{found['cpus']} CPUs, {format_bytes(found['memory_bytes'])} of memory"),
        ("Workers", _workers_told(found["workers"], found["cpus"])),
        ("Store", f"{store['place']} ({'there' if store['exists'] else 'made on first use'}), {_free(store)}"),
    ]
    parts = [
        (_mark(part), part["for"], "" if part["available"] else part["install"]) for part in found["parts"].values()
    ]
    lines = columns(rows, "ll", width=10_000, indent=0)  # paths and reasons are not cut
    lines += ["", "Parts:", *columns(parts, "lll", width=10_000)]
    return [*lines, *([""] if found["problems"] else []), *(f"Problem: {p}" for p in found["problems"])]


def _workers_told(workers: Mapping[str, Any], cpus: int) -> str:
    if not workers["processes"]:
        return "in this process only, on Windows; `dialed worker` runs beside it"
    count = len(workers["accelerators"])
    dealt = f"{count} accelerators" if count > 1 else f"{cpus} CPUs"
    limit = "" if workers["memory_limit"] else f"; `worker_memory` needs {workers['install']}"
    return f"workers=N trains in N processes, which share {dealt}{limit}"


def _free(store: Mapping[str, Any]) -> str:
    return "not usable" if store["problem"] else f"{format_bytes(store['free_bytes'])} free"


def _mark(part: Mapping[str, Any]) -> str:
    return "yes" if part["available"] else "no"
