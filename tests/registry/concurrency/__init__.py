"""Many processes register at once."""
