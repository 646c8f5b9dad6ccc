"""Where the code of a study is, written down so that a worker elsewhere can import it. Never the code itself."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

__all__ = ["origin_of"]


def origin_of(code: object) -> dict[str, Any]:
    """The file and the name of a function or class: `{"file": "/home/me/train.py", "name": "build"}`.

    Where it is none that a file could be asked for by its name, `{"reason": "..."}` says why.

    Example:
        >>> origin_of(lambda hp: 0.0)["reason"]
        'it is a lambda'
    """
    name = getattr(code, "__qualname__", None)
    if not isinstance(name, str):
        return {"reason": f"it is an object of {type(code).__qualname__}, not a function of a file"}
    if "<lambda>" in name:
        return {"reason": "it is a lambda"}
    if "." in name or not name.isidentifier():
        return {"reason": f"'{name}' is made inside of something else"}
    module = sys.modules.get(getattr(code, "__module__", None) or "")
    file = getattr(module, "__file__", None)
    if file is None or not Path(file).is_file():
        return {"reason": "it was written in a notebook or an interpreter, not in a file"}
    return {"file": os.path.abspath(file), "name": name}
