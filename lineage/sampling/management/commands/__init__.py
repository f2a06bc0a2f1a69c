"""Commands of sampling."""
