"""One search in a process of its own: `python -m race.child request.json`. It runs until it ends or is ended."""

from __future__ import annotations

import json
import os
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

__all__ = ["main"]


def main(path: str) -> None:
    """Load everything, open the journal, and search."""
    request: dict[str, Any] = json.loads(Path(path).read_text())
    os.environ["KERAS_BACKEND"] = request["backend"]
    import keras  # noqa: F401 - everybody needs it: its import is not counted

    from race.journal import Journal
    from race.sides import SIDES
    from race.tasks import TASKS

    module, _, search = SIDES[request["side"]]
    __import__(module)
    task = TASKS[request["task"]]
    arrays = task.load(Path(request["data"], task.file), request["samples"], request["held_out"])
    os.chdir(Path(path).parent)
    with closing(Journal(Path("journal"))) as journal:
        search(task, arrays, request["seed"], request["seconds"], journal)


if __name__ == "__main__":
    main(sys.argv[1])
