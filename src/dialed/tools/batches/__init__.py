"""How large a batch can be, and how large it should be: measured in processes of their own."""

from dialed.tools.batches.finding import BatchSizes, find_batch_size

__all__ = ["BatchSizes", "find_batch_size"]
