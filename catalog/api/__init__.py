"""The catalog over REST, under /api/v1/."""
