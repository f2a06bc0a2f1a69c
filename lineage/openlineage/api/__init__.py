"""REST addresses of OpenLineage."""
