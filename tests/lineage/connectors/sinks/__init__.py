"""Contract of the targets."""
