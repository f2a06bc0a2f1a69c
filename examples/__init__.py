"""Worked examples: outside clients of the platform, which import nothing of it."""
