"""Template tags of derivations."""
