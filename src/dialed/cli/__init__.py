"""The command `dialed`."""

from __future__ import annotations

from dialed.cli.entry import main

__all__ = ["main"]
