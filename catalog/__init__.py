"""Clusters, bounded contexts, services, topics and the single writer of each."""
