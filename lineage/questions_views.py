"""Questions to lineage that are answered by a list: orphans, declared, changes, couplings, cycles.

One template for all; the whole state of a page is in its URL.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from lineage import actions, graph
from lineage.edges import Node
from lineage.graph import Change, NodeChange
from lineage.panels import as_of_asked, exploring, pages, query_of
from lineage.question_page import Question, answer, instant_input
from pages.listing import Column, Facet, Listing

# what needs a look comes first when a list is sorted by state
_GRAVITY = {"violated": 0, "unverified": 1, "verified": 2}
# no day is before the calendar's first
_DAY_ONE = datetime(1, 1, 2, tzinfo=UTC)


def _spoken(state: str) -> str:
    return state.replace("_", " ")


@dataclass(frozen=True)
class OrphanRow:
    """An orphan with its page."""

    cluster: str
    orphan: graph.Orphan
    state: str
    url: str
    written_unseen: int | None


def _orphan_spoken(view: actions.OrphanView) -> str:
    """Say the state; a topic that holds records was written, whoever it was that nobody saw."""
    if view.written_unseen and view.orphan.state == "never_written":
        return "writer never seen"
    return _spoken(view.orphan.state)


@require_safe
@vary_on_headers("HX-Request")
def list_orphans(request: HttpRequest) -> HttpResponse:
    """Topics without readers or writers: never any, not since, or not known."""
    as_of = as_of_asked(request.GET)[0]
    kept = query_of(as_of=as_of.isoformat() if as_of else None)
    rows = [
        OrphanRow(
            view.cluster,
            view.orphan,
            _orphan_spoken(view),
            reverse("topic", args=[view.cluster, view.orphan.topic.name]) + kept
            if view.known
            else exploring(view.orphan.topic.key, as_of=as_of),
            view.records if view.written_unseen else None,
        )
        for view in actions.list_orphans(scope=actions.Scope(as_of=as_of))
    ]
    listing: Listing[OrphanRow] = Listing(
        rows,
        request.GET,
        columns=[
            Column("state", "State", lambda row: row.state),
            Column("name", "Topic", lambda row: row.orphan.topic.name.lower()),
            Column("context", "Context", lambda row: row.orphan.topic.context),
            Column("writers", "Writers"),
            Column("written", "Last written", lambda row: row.orphan.written_at),
            Column("readers", "Readers"),
            Column("read", "Last read", lambda row: row.orphan.read_at),
        ],
        facets=[
            Facet("state", "State", lambda row: row.state),
            Facet("cluster", "Cluster", lambda row: row.cluster),
        ],
        text=lambda row: (
            f"{row.orphan.topic.name} {row.state} "
            + " ".join(node.name for node in (*row.orphan.writers, *row.orphan.readers))
        ),
    )
    question = Question(
        title="Orphans",
        about="Topics that nobody was seen to read, or to write; never any is told apart from not "
        "since. A writer that is neither idempotent nor transactional, and stamps no header, is "
        "not seen.",
        api="orphans",
        row="lineage/orphan_row.html",
        noun="topic",
        nothing="Every topic that is known has writers and readers.",
    )
    return answer(request, question, listing, as_of)


@require_safe
@vary_on_headers("HX-Request")
def list_declared(request: HttpRequest) -> HttpResponse:
    """Each topic's declared writer against the observed ones."""
    as_of = as_of_asked(request.GET)[0]
    listing: Listing[actions.DeclaredView] = Listing(
        actions.list_declared(as_of=as_of),
        request.GET,
        columns=[
            Column("state", "Single writer", lambda row: _GRAVITY[row.verdict]),
            Column("name", "Topic", lambda row: row.topic.lower()),
            Column("declared", "Declared", lambda row: row.declared),
            Column("observed", "Observed now"),
            Column("undeclared", "Not declared", lambda row: len(row.undeclared), numeric=True),
            Column("seen", "Declared one seen", lambda row: row.seen),
            Column("reasons", "Why"),
        ],
        facets=[
            Facet("state", "Single writer", lambda row: row.verdict),
            Facet("context", "Context", lambda row: row.context or ""),
            Facet("cluster", "Cluster", lambda row: row.cluster),
        ],
        order="state",
        text=lambda row: " ".join((
            row.topic,
            row.declared or "",
            *row.observed,
            *row.undeclared,
            *row.reasons,
        )),
    )
    question = Question(
        title="Declared and observed",
        about="Who is declared to write each topic, and who was seen doing so. Declarations are "
        "today's; what was observed is as of the instant asked.",
        api="declared",
        row="lineage/declared_row.html",
        noun="topic",
        nothing="No topic is known yet.",
    )
    return answer(request, question, listing, as_of)


@dataclass(frozen=True)
class ChangeRow:
    """A change of an edge or of a node, with the pages of its ends."""

    kind: str
    change: Change | NodeChange
    source: Node
    target: Node | None
    source_url: str
    target_url: str


@require_safe
@vary_on_headers("HX-Request")
def show_diff(request: HttpRequest) -> HttpResponse:
    """What changed from `since` (a day before, by default) to `as_of`."""
    as_of = as_of_asked(request.GET)[0]
    until = as_of or timezone.now()
    asked, problem = as_of_asked({"as_of": request.GET.get("since", "")})
    since = asked or max(until, _DAY_ONE) - timedelta(days=1)
    rows = _change_rows(actions.compare_instants(since, scope=actions.Scope(as_of=until)), as_of)
    listing: Listing[ChangeRow] = Listing(
        rows,
        request.GET,
        columns=[
            Column("kind", "Change", lambda row: row.kind),
            Column("source", "From, or the thing", lambda row: row.source.key),
            Column("target", "To", lambda row: row.target.key if row.target else None),
            Column("before", "Before"),
            Column("after", "After"),
            Column("cause", "Cause"),
            Column("at", "At", lambda row: row.change.at),
        ],
        facets=[
            Facet("kind", "Change", lambda row: row.kind),
            Facet("of", "Of", lambda row: "edge" if row.target else "thing"),
        ],
        order="-at",
        text=lambda row: f"{row.source.key} {row.target.key if row.target else ''} {row.kind}",
    )
    question = Question(
        title="Changes",
        about="Edges and things that appeared, are gone, came and went, or are proved otherwise.",
        api="diff",
        asked={"since": f"{since:%Y-%m-%dT%H:%M:%SZ}"},
        row="lineage/change_row.html",
        noun="change",
        nothing="Nothing changed between the two instants.",
        inputs=(instant_input("since", "Since (UTC; empty: a day before)", asked),),
        problem=problem,
        shown={"since": since, "until": until},
    )
    return answer(request, question, listing, as_of)


def _change_rows(found: graph.Diff, as_of: datetime | None) -> list[ChangeRow]:
    edges = [change.edge for change in found.edges]
    address = pages(
        [
            *(it.source for it in edges),
            *(it.target for it in edges),
            *(it.node for it in found.nodes),
        ],
        as_of,
    )
    rows = [
        ChangeRow(
            it.kind,
            it,
            it.edge.source,
            it.edge.target,
            address(it.edge.source),
            address(it.edge.target),
        )
        for it in found.edges
    ]
    return rows + [
        ChangeRow(it.kind, it, it.node, None, address(it.node), "") for it in found.nodes
    ]


@require_safe
@vary_on_headers("HX-Request")
def list_couplings(request: HttpRequest) -> HttpResponse:
    """Which bounded context feeds which, over what."""
    as_of = as_of_asked(request.GET)[0]
    listing: Listing[graph.Coupling] = Listing(
        actions.list_couplings(actions.Scope(as_of=as_of)),
        request.GET,
        columns=[
            Column("source", "From", lambda row: row.source or None),
            Column("target", "To", lambda row: row.target or None),
            Column("direction", "Direction", lambda row: row.cyclic),
            Column("topics", "Topics", lambda row: len(row.topics), numeric=True),
            Column("writers", "Writers", lambda row: len(row.writers), numeric=True),
            Column("readers", "Readers", lambda row: len(row.readers), numeric=True),
            Column("flows", "Flows", lambda row: row.flows, numeric=True),
            Column("over", "Over"),
        ],
        facets=[
            Facet("direction", "Direction", lambda row: "cyclic" if row.cyclic else "one way"),
            Facet("source", "From", lambda row: row.source),
        ],
        order="-topics",
        text=lambda row: f"{row.source} {row.target} {' '.join(row.topics)}",
    )
    question = Question(
        title="Couplings",
        about="What flows from one bounded context into another; a flow is one writer, topic and "
        "reader. Cyclic: the one that is fed feeds back.",
        api="couplings",
        row="lineage/coupling_row.html",
        noun="coupling",
        nothing="Nothing was observed to flow from one bounded context into another.",
    )
    return answer(request, question, listing, as_of)


@require_safe
@vary_on_headers("HX-Request")
def list_cycles(request: HttpRequest) -> HttpResponse:
    """Where data comes back to where it went out."""
    as_of = as_of_asked(request.GET)[0]
    cycles = actions.list_cycles(actions.Scope(as_of=as_of))
    nodes = [node for cycle in cycles for node in cycle.nodes]
    address = pages(nodes, as_of)
    rows = [
        {"cycle": cycle, "way": [(node, address(node)) for node in (*cycle.nodes, cycle.nodes[0])]}
        for cycle in cycles
    ]
    listing: Listing[dict[str, Any]] = Listing(
        rows,
        request.GET,
        columns=[
            Column("kind", "Cycle", lambda row: row["cycle"].kind),
            Column("members", "Members", lambda row: len(row["cycle"].members), numeric=True),
            Column("way", "Shortest way round"),
            Column("state", "State", lambda row: row["cycle"].active),
        ],
        facets=[Facet("kind", "Cycle", lambda row: row["cycle"].kind)],
        order="kind",
        text=lambda row: " ".join(node.key for node in row["cycle"].members),
    )
    question = Question(
        title="Cycles",
        about="Data that comes back: a loop leads over several services; own means that one "
        "service reads a topic that it writes.",
        api="cycles",
        row="lineage/cycle_row.html",
        noun="cycle",
        nothing="No data was observed to come back to where it went out.",
    )
    return answer(request, question, listing, as_of)
