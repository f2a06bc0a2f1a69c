"""Panels of copies that other rooms' pages include."""
