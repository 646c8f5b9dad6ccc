"""`python -m dialed` is the command `dialed`."""

from __future__ import annotations

from dialed.cli import main

if __name__ == "__main__":
    main(prog_name="python -m dialed")
