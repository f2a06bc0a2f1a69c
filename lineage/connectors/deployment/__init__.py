"""Copies that Kafka Connect keeps: the same definition, rendered, deployed and watched."""
