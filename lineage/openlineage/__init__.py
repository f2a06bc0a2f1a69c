"""OpenLineage both ways: events received become evidence, ours are emitted."""
