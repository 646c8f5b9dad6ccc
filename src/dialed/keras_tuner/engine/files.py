"""JSON files that are whole or not there: a kill in the middle of writing leaves the old one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from dialed.errors import StoreError

__all__ = ["load_json", "save_json"]


def save_json(path: str | os.PathLike[str], content: Any) -> str:
    """Write `content`, and return its text. The folder is made if it is not there."""
    text, target = json.dumps(content), Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(target)
    return text


def load_json(path: str | os.PathLike[str]) -> Any:
    """The content of a file.

    Raises:
        StoreError: It is no JSON, as one is that was cut off in the middle.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise StoreError(f"`{path}` must hold JSON. It cannot be read: {error}. Restore it, or remove it.") from error
