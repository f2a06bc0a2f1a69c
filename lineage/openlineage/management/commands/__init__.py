"""Commands of OpenLineage."""
