"""Copies on Kafka Connect."""
