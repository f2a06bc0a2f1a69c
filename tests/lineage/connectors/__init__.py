"""Tests of lineage.connectors."""
