"""Kills the served registry and its database, and races its clients."""
