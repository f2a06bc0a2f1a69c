"""Since when each edge was seen, by each kind of evidence: a row each, which moves back only."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from lineage.models import Proof

# rows a statement: SQLite takes 32,766 variables in one, PostgreSQL 65,535
_ROWS = 1000

_PROVE = """
INSERT INTO lineage_proof (edge_id, kind, first_seen) VALUES {}
ON CONFLICT (edge_id, kind) DO UPDATE SET first_seen = excluded.first_seen
WHERE excluded.first_seen < lineage_proof.first_seen
"""


@dataclass(frozen=True)
class Proved:
    """Whether there are new proofs, and whether known ones turned out to have begun earlier."""

    fresh: bool = False
    moved: bool = False


def prove(begun: Mapping[tuple[int, str], datetime], made: Collection[int] = frozenset()) -> Proved:
    """Keep since when (edge, kind) was seen at all; what is known already moves back only.

    Nothing is known of edges that were just `made`.
    """
    instant = connection.ops.adapt_datetimefield_value
    known = _proofs({edge for edge, _ in begun}.difference(made))
    needed = {key: at for key, at in begun.items() if key not in known or at < known[key]}
    rows = [(*key, instant(at)) for key, at in needed.items()]
    with connection.cursor() as cursor:
        for start in range(0, len(rows), _ROWS):
            chunk = rows[start : start + _ROWS]
            cursor.execute(
                _PROVE.format(", ".join(["(%s, %s, %s)"] * len(chunk))),
                [value for row in chunk for value in row],
            )
    moved = sum(1 for key in needed if key in known)
    return Proved(len(needed) > moved, moved > 0)


def _proofs(edges: Collection[int]) -> dict[tuple[int, str], datetime]:
    ordered = sorted(edges)
    found: dict[tuple[int, str], datetime] = {}
    for start in range(0, len(ordered), _ROWS):
        rows = Proof.objects.filter(edge__in=ordered[start : start + _ROWS])
        found |= {
            (edge, kind): at for edge, kind, at in rows.values_list("edge", "kind", "first_seen")
        }
    return found
