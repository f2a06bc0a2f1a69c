"""A copy that has stopped falls behind its log until somebody does something about it."""

from collections.abc import Iterator

from catalog.policies.contract import Finding, Snapshot, Subject
from catalog.policies.words import listing

RULE = "stopped-copy"


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield copies that stopped by themselves, with what they said."""
    for copy in snapshot.stopped:
        message = f"copying of {listing(copy.topics)} has stopped: {copy.why}"
        yield Finding(RULE, "error", Subject("copy", copy.name), message)
