"""Any table that a small YAML describes: which column gives which value, in what form, through which lookup.

`sketch` drafts the YAML from a file's header and first rows; `load_spec` checks one; `TableReader` reads by it.
"""

from tocsin.intake.table.reader import TableReader
from tocsin.intake.table.sketch import sketch
from tocsin.intake.table.spec import Spec, load_spec

__all__ = ["Spec", "TableReader", "load_spec", "sketch"]
