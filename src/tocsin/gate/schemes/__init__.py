"""Schemes of markings, as YAML."""
