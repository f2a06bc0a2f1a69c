"""REST addresses of lineage."""
