"""`python -m dialed.executor.processes DESCRIPTOR PARENT CORES`: what `place.Place` starts. Nobody else should."""

from __future__ import annotations

import sys

from dialed.executor.processes.share import settle

if __name__ == "__main__":
    settle([int(core) for core in sys.argv[3].split(",") if core])  # before anything starts threads

    from dialed.executor.processes.servant import main

    main(descriptor=int(sys.argv[1]), parent=int(sys.argv[2]))
