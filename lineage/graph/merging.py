"""Joining edges between the same two nodes, whichever way each was found. Pure."""

from collections.abc import Iterable, Sequence

from lineage.edges import EdgeView, EvidenceView, Node, by_strength, confidence


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
    proofs = joined(proof for edge in group for proof in edge.evidence)
    return EdgeView(
        source=group[0].source,
        target=group[0].target,
        evidence=tuple(sorted(proofs, key=by_strength)),
        first_seen=min(edge.first_seen for edge in group),
        last_seen=max(edge.last_seen for edge in group),
        confidence=confidence(proof.kind for proof in proofs),
        active=any(edge.active for edge in group),
    )


def joined(proofs: Iterable[EvidenceView]) -> list[EvidenceView]:
    """Join evidence of the same kind: the span of all, the particulars of the newest."""
    found: dict[str, EvidenceView] = {}
    for proof in proofs:
        known = found.get(proof.kind)
        found[proof.kind] = proof if known is None else _span(known, proof)
    return list(found.values())


def _span(one: EvidenceView, other: EvidenceView) -> EvidenceView:
    newest = max(one, other, key=lambda proof: proof.last_seen)
    return EvidenceView(
        one.kind,
        min(one.first_seen, other.first_seen),
        newest.last_seen,
        newest.detail,
    )
