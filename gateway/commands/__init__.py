"""The sub-commands of `tell`, one job a file; each has a `register(app)` that names them."""
