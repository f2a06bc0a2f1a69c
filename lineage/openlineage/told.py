"""The facets of jobs and datasets: the newest of each that was told."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from catalog.actions import find_cluster
from lineage.models import Edge
from lineage.openlineage.models import NodeFacet

NODE_KINDS = tuple(Edge.NodeKind.values)
"""The kinds of raw node that facets may be told of."""

# the cluster, the raw node's kind and name, and the facet
Place = tuple[int, str, str, str]
_FACET_BYTES = 16 * 1024
_FACETS_A_NODE = 40
_LONGEST_NAME = 100
_ROWS = 500


def keep_facets(told: Mapping[Place, Mapping[str, Any]], at: datetime) -> None:
    """Keep what was told at `at`, unless something newer is known; `_deleted` deletes."""
    known = _known({name for _, _, name, _ in told})
    counted: dict[tuple[int, str, str], int] = {}
    kept: list[NodeFacet] = []
    deleted: list[int] = []
    for place, value in sorted(told.items(), key=lambda item: item[0]):
        cluster, kind, name, facet = place
        row = known.get(place)
        if len(facet) > _LONGEST_NAME or (row is not None and row.told_at > at):
            continue
        if value.get("_deleted"):
            deleted += [] if row is None else [row.pk]
            continue
        counted[cluster, kind, name] = counted.get((cluster, kind, name), 0) + 1
        if counted[cluster, kind, name] <= _FACETS_A_NODE:
            kept.append(
                NodeFacet(
                    cluster_id=cluster,
                    node_kind=kind,
                    node_name=name,
                    facet=facet,
                    value=_small(value),
                    told_at=at,
                )
            )
    NodeFacet.objects.filter(pk__in=deleted).delete()
    NodeFacet.objects.bulk_create(
        kept,
        batch_size=_ROWS,
        update_conflicts=True,
        unique_fields=["cluster", "node_kind", "node_name", "facet"],
        update_fields=["value", "told_at"],
    )


def _known(names: set[str]) -> dict[Place, NodeFacet]:
    ordered = sorted(names)
    found = {}
    for start in range(0, len(ordered), _ROWS):
        rows = NodeFacet.objects.filter(node_name__in=ordered[start : start + _ROWS])
        for row in rows.defer("value"):
            found[row.cluster_id, row.node_kind, row.node_name, row.facet] = row
    return found


def _small(value: Mapping[str, Any]) -> dict[str, Any]:
    size = len(orjson.dumps(value))
    return dict(value) if size <= _FACET_BYTES else {"left_out_bytes": size}


def list_facets(kind: str = "", name: str = "", cluster: str = "") -> list[NodeFacet]:
    """Return what events told of jobs and datasets, newest of each facet, by node.

    Raises ThingMissingError where no cluster is called so.
    """
    if cluster:
        find_cluster(cluster)
    rows = NodeFacet.objects.select_related("cluster").order_by(
        "node_kind", "node_name", "facet", "cluster__name"
    )
    wanted = {"node_kind": kind, "node_name": name, "cluster__name": cluster}
    return list(rows.filter(**{key: value for key, value in wanted.items() if value}))
