"""Connectors and runs over REST."""
