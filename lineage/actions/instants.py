"""Reading points in time, as pages, REST and commands are given them."""

from datetime import UTC, datetime

from django.utils.dateparse import parse_datetime

from lineage.errors import InstantInvalidError


def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 instant; without a zone it is UTC. Raises InstantInvalidError."""
    try:
        # a plus sign that was not escaped in a URL arrives as a space
        found = parse_datetime(text.strip().replace(" ", "+") if "T" in text else text.strip())
    except ValueError:
        found = None
    if found is None:
        raise InstantInvalidError(f"{text!r} is no instant; expected 2026-01-31T12:00:00Z")
    try:
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except OverflowError as error:  # year 1 or 9999, moved past the calendar's end by its zone
        raise InstantInvalidError(f"{text!r} lies outside the years 1 to 9999") from error
