"""A copy only caches its log: one that differs was edited by hand, or written by something else."""

from collections.abc import Iterator

from catalog.policies.contract import Finding, Snapshot, Subject
from catalog.policies.words import listing, span

RULE = "diverged-copy"


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield copies whose last audit found keys that differ from the log."""
    for copy in snapshot.copies:
        if not copy.differing:
            continue
        keys = "1 key differs" if copy.differing == 1 else f"{copy.differing:,} keys differ"
        message = (
            f"{keys} from {listing(copy.topics)}, as an audit found {span(snapshot.now - copy.at)} "
            f"ago; the first was seen {span(snapshot.now - copy.since)} ago. The table was edited "
            "by hand, or something else writes to it: repair it"
        )
        yield Finding(RULE, "error", Subject("copy", copy.name), message)
