"""Template tags of sampling."""
