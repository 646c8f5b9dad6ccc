"""Our own JavaScript modules as one script, for a file that has no server to ask for them.

A browser refuses modules from a file. So the modules are put one after another, each before those that import it, without
their `import` and `export`. That is all, because they keep to a few habits, which are checked: names are unique, exports
are declarations, imports name what they take.
"""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["bundle"]

_IMPORT = re.compile(r'^import (?:\{[^}]*\} from )?"(\.{1,2}/[\w./-]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) )", re.MULTILINE)
_NAME = re.compile(r"^(?:export )?(?:async )?(?:function|class|const|let) (\w+)", re.MULTILINE)


def bundle(entry: Path) -> str:
    """The module `entry` and all that it imports, as one script.

    Raises:
        ValueError: A module does what cannot be put together so, or two have a name in common.
    """
    parts: dict[Path, str] = {}
    _add(entry.resolve(), parts)
    owners: dict[str, Path] = {}
    for path, text in parts.items():
        for name in _NAME.findall(text):
            if name in owners:
                raise ValueError(f"`{name}` is declared in {owners[name].name} and in {path.name}: rename one.")
            owners[name] = path
    body = "\n".join(_EXPORT.sub("", text) for text in parts.values())
    return f'(() => {{\n"use strict";\n{body}}})();\n'


def _add(path: Path, parts: dict[Path, str]) -> None:
    """Put what `path` imports before it."""
    if path in parts:
        return
    text = path.read_text(encoding="utf-8")
    for target in _IMPORT.findall(text):
        _add((path.parent / target).resolve(), parts)
    text = _IMPORT.sub("", text)
    left = re.search(r"^(?:import\b|export (?!(?:async )?(?:function|class|const) )).*", text, re.MULTILINE)
    if left:
        raise ValueError(f"{path.name} has a line that cannot be bundled: {left[0]}")
    parts[path] = text
