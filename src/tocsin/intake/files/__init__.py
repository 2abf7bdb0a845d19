"""Any file of rows -> batches of cells as they stand in it, with record numbers, and an issue for whatever could not be read."""

from tocsin.intake.files.opening import open_table
from tocsin.intake.files.table import Batch, Table

__all__ = ["Batch", "Table", "open_table"]
