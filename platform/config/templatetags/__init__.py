"""Filters and tags that every room's templates use."""
