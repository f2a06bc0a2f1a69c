"""The frame that every page shares."""

from django.http import HttpRequest


def describe_frame(_request: HttpRequest) -> dict[str, object]:
    """Return what `base.html` shows on every page."""
    return {}
