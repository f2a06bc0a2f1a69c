"""The project's own commands: `run` and `serve`."""
