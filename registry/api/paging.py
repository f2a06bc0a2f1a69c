"""`offset` and `limit` of a list; a negative limit asks for as much as the server gives."""

from collections.abc import Sequence
from typing import TypeVar

from django.conf import settings

from registry.api.boundary import Call

T = TypeVar("T")


def page(call: Call, items: Sequence[T]) -> list[T]:
    """The part of the list that the request asks for."""
    offset = max(call.number("offset", 0), 0)
    limit = call.number("limit", -1)
    most: int = settings.REGISTRY_LIST_LIMIT
    size = most if limit < 0 else min(limit, most)
    return list(items[offset : offset + size])
