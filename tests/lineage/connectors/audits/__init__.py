"""Audits and repairs."""
