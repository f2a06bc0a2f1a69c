"""`connectors run|status` and `regenerate`."""
