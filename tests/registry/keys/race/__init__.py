"""Many processes create and delete the same keys at once."""
