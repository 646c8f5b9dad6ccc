"""A study as runs of TensorBoard, written with the `tensorboard` package alone; see README.md beside this file."""

from __future__ import annotations

from dialed.observe.tensorboard.observer import TensorBoard, write_study

__all__ = ["TensorBoard", "write_study"]
