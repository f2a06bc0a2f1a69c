"""A command asks one service to act: several that read it act twice, or it is an event."""

from collections.abc import Iterator

from catalog.policies.contract import Finding, Snapshot, about
from catalog.policies.words import listing

RULE = "command-reader"


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield commands that more than one service reads."""
    for topic in snapshot.topics:
        if topic.kind != "command":
            continue
        readers = sorted({
            access.service or access.actor
            for access in topic.accesses
            if access.direction == "reads" and access.active and access.actor_kind != "copy"
        })
        if len(readers) > 1:
            message = (
                f"{listing(readers)} all read this command; a command has one receiver: "
                "make it an event, or give each its own command"
            )
            yield Finding(RULE, "warning", about(topic), message)
