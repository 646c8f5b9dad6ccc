"""Where and with what was measured."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

__all__ = ["machine", "sentence"]

_PACKAGES = ("dialed", "keras", "jax", "jaxlib", "numpy", "scikit-learn", "scikeras")


def machine() -> dict[str, Any]:
    """Processor, cores, load, device, versions and the date."""
    import jax

    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "device": jax.devices()[0].device_kind,
        "platform": jax.devices()[0].platform,
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }


def sentence(facts: dict[str, Any]) -> str:
    """One line for people."""
    packages = ", ".join(f"{name} {version}" for name, version in facts["packages"].items() if version)
    load = "" if facts["load"] is None else f", load {facts['load']} at the start"
    device = "" if facts["platform"] == "cpu" else f", {facts['device']}"
    return (
        f"{facts['date']}; {facts['processor']}, {facts['cores']} cores{device}{load}; "
        f"Python {facts['python']}, {packages}"
    )


def _processor() -> str:
    about = Path("/proc/cpuinfo")
    if about.is_file():
        for line in about.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(name: str) -> str | None:
    if name == "dialed":
        import dialed

        return dialed.__version__
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
