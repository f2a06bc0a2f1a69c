"""Panels of the catalog that other rooms' pages include."""
