"""Deployments over REST."""
