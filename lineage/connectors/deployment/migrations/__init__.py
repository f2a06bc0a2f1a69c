"""Migrations of deployments."""
