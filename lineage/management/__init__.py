"""Commands of lineage."""
