"""Where a search is recorded besides its store: observers for TensorBoard, MLflow, Weights & Biases and plain files."""

from dialed.observe.files import CsvFiles, JsonLines
from dialed.observe.mlflow import MLflow
from dialed.observe.tensorboard import TensorBoard
from dialed.observe.wandb import WandB

__all__ = ["CsvFiles", "JsonLines", "MLflow", "TensorBoard", "WandB"]
