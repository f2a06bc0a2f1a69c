"""Processes beside a build's own, which make rows and read them back: one core is its limit."""
