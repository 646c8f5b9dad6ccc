"""`python -m dialed.engine.jax_worker DESCRIPTOR PARENT`: what `process.JaxProcess` starts. Nobody else should."""

from __future__ import annotations

import sys

from dialed.engine.jax_worker.worker import main

if __name__ == "__main__":
    main(descriptor=int(sys.argv[1]), parent=int(sys.argv[2]))
