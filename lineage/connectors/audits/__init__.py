"""Is a copy still equal to the log? Audits prove it, show what differs by key, and repair it."""
