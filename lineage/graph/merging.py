"""Joining edges between the same two nodes, whichever way each was found. Pure."""

from collections.abc import Iterable, Sequence

from lineage.edges import EdgeView, EvidenceView, Node, confidence


def merged(edges: Iterable[EdgeView]) -> list[EdgeView]:
    """Join edges between the same two nodes: one row an edge, whichever way it was found."""
    together: dict[tuple[Node, Node], list[EdgeView]] = {}
    for edge in edges:
        together.setdefault((edge.source, edge.target), []).append(edge)
    ordered = sorted(together.items(), key=lambda it: (it[0][0].key, it[0][1].key))
    return [_join(group) for _, group in ordered]


def _join(group: Sequence[EdgeView]) -> EdgeView:
    if len(group) == 1:
        return group[0]
    proofs: dict[str, EvidenceView] = {}
    for proof in (proof for edge in group for proof in edge.evidence):
        known = proofs.get(proof.kind)
        proofs[proof.kind] = proof if known is None else _span(known, proof)
    return EdgeView(
        source=group[0].source,
        target=group[0].target,
        evidence=tuple(proofs.values()),
        first_seen=min(edge.first_seen for edge in group),
        last_seen=max(edge.last_seen for edge in group),
        confidence=confidence(proofs),
        active=any(edge.active for edge in group),
    )


def _span(one: EvidenceView, other: EvidenceView) -> EvidenceView:
    newest = max(one, other, key=lambda proof: proof.last_seen)
    return EvidenceView(
        one.kind,
        min(one.first_seen, other.first_seen),
        newest.last_seen,
        newest.detail,
    )
