"""Confluent's REST API over the actions."""
