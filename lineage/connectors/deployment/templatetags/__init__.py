"""Panels of deployments that the pages of copies include."""
