"""Panels of the registry that other rooms' pages include."""
