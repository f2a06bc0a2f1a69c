"""What is declared exists: a declared topic is in Kafka, and its cluster answers."""

from collections.abc import Iterator

from catalog.policies.contract import Finding, Snapshot, Subject, about
from catalog.policies.words import span

RULE = "presence"


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield clusters that do not answer, and declared topics that Kafka does not have."""
    silent = set()
    for cluster in snapshot.clusters:
        if cluster.reachable:
            continue
        silent.add(cluster.name)
        before = cluster.reached_at
        since = f"for {span(snapshot.now - before)}" if before else "since it was declared"
        message = f"not reached {since}: {cluster.message}"
        yield Finding(RULE, "error", Subject("cluster", cluster.name), message)
    for topic in snapshot.topics:
        if topic.present or not topic.declared:
            continue
        if topic.gone:
            yield Finding(RULE, "error", about(topic), "declared, but deleted from Kafka")
        elif topic.cluster not in silent:
            message = "declared, but Kafka has no such topic"
            yield Finding(RULE, "warning", about(topic), message)
