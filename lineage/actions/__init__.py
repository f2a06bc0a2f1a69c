"""What is asked of lineage; pages, REST, commands and the catalog's witness all call these."""

from lineage.actions.declared import VERDICTS, DeclaredView, list_declared
from lineage.actions.edges import (
    Resolved,
    cluster_id,
    find_edge,
    find_edges,
    find_node,
    list_edges,
    neighbourhood,
    resolve,
    resolve_rows,
    surroundings,
)
from lineage.actions.instants import parse_instant
from lineage.actions.questions import (
    OrphanView,
    Scope,
    compare_instants,
    find_thing,
    list_couplings,
    list_cycles,
    list_orphans,
    take_footprint,
    tell_story,
    trace,
)
from lineage.actions.samplings import find_blind_spots, list_samplings
from lineage.outline import ANONYMOUS

__all__ = [
    "ANONYMOUS",
    "VERDICTS",
    "DeclaredView",
    "OrphanView",
    "Resolved",
    "Scope",
    "cluster_id",
    "compare_instants",
    "find_blind_spots",
    "find_edge",
    "find_edges",
    "find_node",
    "find_thing",
    "list_couplings",
    "list_cycles",
    "list_declared",
    "list_edges",
    "list_orphans",
    "list_samplings",
    "neighbourhood",
    "parse_instant",
    "resolve",
    "resolve_rows",
    "surroundings",
    "take_footprint",
    "tell_story",
    "trace",
]
