"""Other projects' real clients, driven against a served registry (`make test-clients`)."""
