"""Questions to the graph of edges. Pure: edges in, answers out; networkx does the walking."""

from lineage.graph.couplings import Coupling, fold_by_context
from lineage.graph.cycles import Cycle, find_cycles
from lineage.graph.diff import CHANGES, Change, Diff, NodeChange, Snapshot, compare
from lineage.graph.flow import Flow
from lineage.graph.footprint import Footprint, Name, footprint_of
from lineage.graph.merging import merged
from lineage.graph.orphans import ORPHAN_STATES, Orphan, find_orphans
from lineage.graph.paths import Step, Story, shortest_story
from lineage.graph.selection import fold_internal, select
from lineage.graph.walk import (
    DEFAULT_CAP,
    PROJECTIONS,
    Direction,
    Link,
    Projection,
    Reach,
    Reached,
    Subgraph,
    downstream,
    neighbourhood,
    reach,
    upstream,
    whole,
)

__all__ = [
    "CHANGES",
    "DEFAULT_CAP",
    "ORPHAN_STATES",
    "PROJECTIONS",
    "Change",
    "Coupling",
    "Cycle",
    "Diff",
    "Direction",
    "Flow",
    "Footprint",
    "Link",
    "Name",
    "NodeChange",
    "Orphan",
    "Projection",
    "Reach",
    "Reached",
    "Snapshot",
    "Step",
    "Story",
    "Subgraph",
    "compare",
    "downstream",
    "find_cycles",
    "find_orphans",
    "fold_by_context",
    "fold_internal",
    "footprint_of",
    "merged",
    "neighbourhood",
    "reach",
    "select",
    "shortest_story",
    "upstream",
    "whole",
]
