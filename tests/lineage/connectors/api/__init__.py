"""REST of connectors and runs."""
