"""Numbers once reserved stay so: a field that takes one would misread still older messages."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from google.protobuf.descriptor_pb2 import DescriptorProto

# From the first number to before the second.
_Span: TypeAlias = tuple[int, int]


def compare_reserved(
    old: DescriptorProto, new: DescriptorProto, path: str
) -> Iterator[tuple[str, str]]:
    """The ranges of the old message that the new one uses or no longer reserves."""
    kept = _merged((span.start, span.end) for span in new.reserved_range)
    used = sorted(field.number for field in new.field)
    for span in old.reserved_range:
        if bisect_left(used, span.start) < bisect_left(used, span.end):
            yield "RESERVED_RANGE_REUSED", f"{path}/reserved/{span.start}"
        elif not _covered(span.start, span.end, kept):
            yield "RESERVED_RANGE_REMOVED", f"{path}/reserved/{span.start}"


def _merged(spans: Iterable[_Span]) -> list[_Span]:
    merged: list[_Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _covered(start: int, end: int, merged: list[_Span]) -> bool:
    at = bisect_right(merged, start, key=lambda span: span[0]) - 1
    return at >= 0 and end <= merged[at][1]
