"""Tests of lineage.sampling."""
