"""TAXII 2.1 (OASIS Standard, 10 June 2021): the pages under /taxii2/."""

from tocsin.server.taxii.answers import is_taxii
from tocsin.server.taxii.routes import TAXII

__all__ = ["TAXII", "is_taxii"]
