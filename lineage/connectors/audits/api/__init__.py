"""Audits over REST."""
