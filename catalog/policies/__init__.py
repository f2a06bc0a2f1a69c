"""Rules of data on the outside, one a file; each is pure and looks at one snapshot."""

from catalog.policies import (
    command_reader,
    diverged_copy,
    ownership,
    presence,
    retention,
    single_writer,
    stopped_copy,
)
from catalog.policies.contract import Finding, Policy, Snapshot, gravity

POLICIES: dict[str, Policy] = {
    policy.RULE: policy.check
    for policy in (
        single_writer,
        command_reader,
        ownership,
        presence,
        retention,
        diverged_copy,
        stopped_copy,
    )
}


def check(snapshot: Snapshot) -> list[Finding]:
    """Return what all policies find: the gravest first, then by rule and subject."""
    found = [finding for policy in POLICIES.values() for finding in policy(snapshot)]
    return sorted(found, key=gravity)
