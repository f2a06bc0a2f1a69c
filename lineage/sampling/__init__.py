"""Observes Kafka: one file a kind of evidence."""
