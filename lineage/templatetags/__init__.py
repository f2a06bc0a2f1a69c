"""Panels of lineage that other rooms' pages include."""
