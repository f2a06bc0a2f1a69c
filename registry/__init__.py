"""Schemas: contexts, subjects, versions, compatibility. Confluent's REST contract."""
