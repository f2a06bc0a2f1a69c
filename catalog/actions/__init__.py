"""What the catalog does; pages, REST, commands and jobs all call these."""

from catalog.actions.apply import apply
from catalog.actions.claims import claim, find_claim, list_claims, withdraw
from catalog.actions.clusters import (
    connection_of,
    connection_to,
    ensure_cluster,
    find_cluster,
    note_reached,
    note_unreachable,
)
from catalog.actions.describe import (
    ReaderView,
    ServiceView,
    TopicView,
    WriterView,
    describe_service,
    describe_services,
    describe_topic,
    describe_topics,
    find_service,
    find_topic,
)
from catalog.actions.findings import list_findings, take_snapshot
from catalog.actions.synchronise import synchronise
from catalog.declaration.sections import Change, FieldChange

__all__ = [
    "Change",
    "FieldChange",
    "ReaderView",
    "ServiceView",
    "TopicView",
    "WriterView",
    "apply",
    "claim",
    "connection_of",
    "connection_to",
    "describe_service",
    "describe_services",
    "describe_topic",
    "describe_topics",
    "ensure_cluster",
    "find_claim",
    "find_cluster",
    "find_service",
    "find_topic",
    "list_claims",
    "list_findings",
    "note_reached",
    "note_unreachable",
    "synchronise",
    "take_snapshot",
    "withdraw",
]
