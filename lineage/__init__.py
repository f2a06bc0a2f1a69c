"""Who derives what from which stream, as observed, with the evidence."""
