"""The project's own table."""
