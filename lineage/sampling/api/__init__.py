"""REST addresses of sampling."""
