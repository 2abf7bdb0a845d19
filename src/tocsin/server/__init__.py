"""HTTP: the JSON API over a hub. `app.make_app(hub)` makes it; `serve.serve` runs it with its database and workers."""
