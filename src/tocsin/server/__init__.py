"""HTTP: the JSON API over a hub. `make_app(hub)` makes it; `serve` runs it with its database and workers."""

from tocsin.server.app import make_app

__all__ = ["make_app"]
