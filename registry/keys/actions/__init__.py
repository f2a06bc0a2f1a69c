"""What can be done with keys; the API calls these."""
