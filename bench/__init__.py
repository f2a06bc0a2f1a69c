"""Measurements (`make bench`): figures that may be quoted come from here and nowhere else."""
