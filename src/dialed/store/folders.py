"""Names of folders for the artifacts of studies."""

from __future__ import annotations

import hashlib
import re

__all__ = ["artifact_folder"]


def artifact_folder(name: str) -> str:
    """Return the name of a study's folder: its own where every file system can hold it, one like it otherwise."""
    plain = re.sub(r"[^a-z0-9_-]+", "-", name.lower())[:80]
    return name if plain == name else f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
