"""The DEK registry over HTTP, under /dek-registry/v1."""
