"""The page of one edge: each kind of evidence, its particulars, and when it was seen."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from lineage import actions
from lineage.edges import EvidenceView
from lineage.errors import NodeMissingError
from lineage.history import intervals_of
from lineage.panels import as_of_asked, exploring, pages, role_of, state_of_edge

MEANINGS = {
    "connector": "our own copy says what it reads",
    "member": "the coordinator lists the member and its partitions",
    "topology": "the coordinator knows the topology of a streams group",
    "connect": "Kafka Connect says so itself",
    "transaction": "the coordinator lists the partitions of the transaction",
    "transaction_log": "the coordinator logged the topics of the transaction",
    "commit": "the group's commit carries the writer's producer id",
    "producer": "the partition leader lists the producer",
    "batch": "the log holds batches of that producer",
    "offset": "the group committed an offset",
    "header": "the record says so itself; anybody can write that",
    "openlineage": "a job said so in an OpenLineage event; anybody can post one",
    "declared": "the catalog declares it; nobody was observed",
}


@require_safe
def show_edge(request: HttpRequest) -> HttpResponse:
    """Why an edge is believed; `source` and `target` are keys of nodes, `as_of` an instant."""
    as_of, problem = as_of_asked(request.GET)
    source, target = request.GET.get("source", ""), request.GET.get("target", "")
    try:
        edge, rows = actions.find_edge(source, target, as_of=as_of)
    except NodeMissingError as error:
        raise Http404(str(error)) from error
    at = as_of or timezone.now()
    seen, start, cut = intervals_of(rows, at)
    address = pages([edge.source, edge.target], as_of)
    topic = edge.target if edge.target.kind == "topic" else edge.source
    return render(
        request,
        "lineage/proof.html",
        {
            "edge": edge,
            "as_of": as_of,
            "problem": problem,
            "state": state_of_edge(edge),
            "role": role_of(edge),
            "source_url": address(edge.source),
            "target_url": address(edge.target),
            "around": exploring(topic.key, as_of=as_of),
            "proofs": [_proof(it) for it in edge.evidence],
            "lanes": [
                (kind, [it for it in seen if it.kind == kind])
                for kind in dict.fromkeys(proof.kind for proof in edge.evidence)
            ],
            "seen": seen[:50],
            "more": len(seen) - 50 if len(seen) > 50 else 0,
            "cut": cut,
            "start": start,
            "end": at,
        },
    )


def _proof(proof: EvidenceView) -> dict[str, Any]:
    return {
        "kind": proof.kind,
        "meaning": MEANINGS.get(proof.kind, ""),
        "first_seen": proof.first_seen,
        "last_seen": proof.last_seen,
        "particulars": [
            (name.replace("_", " "), _spoken(value))
            for name, value in sorted(proof.detail.items())
            if value not in ({}, [], "", None)
        ],
    }


def _spoken(value: object) -> str:
    """Show a particular in words: lists joined, numbers separated, a cut where it is long."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, dict):
        text = ", ".join(f"{name}: {_spoken(it)}" for name, it in value.items())
    elif isinstance(value, list):
        text = ", ".join(_spoken(it) for it in value)
    else:
        text = str(value)
    return text if len(text) <= 600 else f"{text[:599]}…"
