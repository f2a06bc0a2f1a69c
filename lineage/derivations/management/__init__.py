"""Commands of derivations."""
