"""Copies of streams in a database of the user's choice, regenerated at will."""
