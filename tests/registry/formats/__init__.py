"""Tests of the schema formats."""
