"""Who derives which view from which streams, field by field; what a change reaches; claims."""
