"""`offset` and `limit` of a list; a negative limit asks for as much as the server gives."""

from collections.abc import Sequence
from typing import TypeVar

from django.conf import settings

from registry.api.boundary import Call

T = TypeVar("T")


def bounds(call: Call) -> tuple[int, int]:
    """Offset and limit as they apply."""
    limit = call.number("limit", -1)
    most: int = settings.REGISTRY_LIST_LIMIT
    return max(call.number("offset", 0), 0), most if limit < 0 else min(limit, most)


def page(call: Call, items: Sequence[T]) -> list[T]:
    """The part of the list that the request asks for."""
    offset, limit = bounds(call)
    return list(items[offset : offset + limit])
