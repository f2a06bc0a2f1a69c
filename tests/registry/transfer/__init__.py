"""Moving registries in and out."""
