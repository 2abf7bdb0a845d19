"""The tables, and the named queries."""
