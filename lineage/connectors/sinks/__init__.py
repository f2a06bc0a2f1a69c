"""Target databases: one contract, one file each."""
