"""Data bundled with tocsin; README.md says whose they are."""
