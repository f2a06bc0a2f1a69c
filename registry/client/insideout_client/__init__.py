"""A registry's client for builds: register, test-compatibility, download. Standard library only."""
