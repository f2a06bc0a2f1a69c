"""The questions to lineage over REST: read the query, call an action, show the answer."""

from datetime import datetime, timedelta
from typing import Any, Literal

from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from lineage import actions
from lineage.api import questions_serializers as shapes
from lineage.api.views import answers, asked


def _scope(values: dict[str, Any], as_of: datetime | None) -> actions.Scope:
    """Take out of the query which edges count."""
    return actions.Scope(
        as_of=as_of,
        cluster=values.pop("cluster", None) or None,
        active=values.pop("active", None),
        declared=values.pop("declared", True),
        internal=values.pop("internal", False),
    )


class _Trace(GenericAPIView[Any]):
    """Up or down the stream."""

    serializer_class = shapes.TraceSerializer
    pagination_class = None
    direction: Literal["upstream", "downstream"]

    def answer(self, request: Request) -> Response:
        """Return what lies that way."""
        values, as_of = asked(shapes.TraceQuery, request)
        found = actions.trace(
            values["node"],
            self.direction,
            depth=values["depth"],
            projection=values.get("projection") or "things",
            cap=values["cap"],
            scope=_scope(values, as_of),
        )
        return Response(shapes.TraceSerializer(found).data)


class ShowUpstream(_Trace):
    """What feeds a thing."""

    direction = "upstream"

    @extend_schema(
        operation_id="show_upstream",
        parameters=[shapes.TraceQuery],
        tags=["lineage"],
        responses=answers(shapes.TraceSerializer),
    )
    def get(self, request: Request) -> Response:
        """Show all whose data reaches a node, to any depth, nearest first."""
        return self.answer(request)


class ShowDownstream(_Trace):
    """What a thing feeds."""

    direction = "downstream"

    @extend_schema(
        operation_id="show_downstream",
        parameters=[shapes.TraceQuery],
        tags=["lineage"],
        responses=answers(shapes.TraceSerializer),
    )
    def get(self, request: Request) -> Response:
        """Show all that data of a node reaches, to any depth, nearest first."""
        return self.answer(request)


class ShowPath(GenericAPIView[Any]):
    """The shortest story from one thing to another."""

    serializer_class = shapes.PathSerializer
    pagination_class = None

    @extend_schema(
        operation_id="show_path",
        parameters=[shapes.PathQuery],
        tags=["lineage"],
        responses=answers(shapes.PathSerializer),
    )
    def get(self, request: Request) -> Response:
        """Tell how data of the source comes to the target, with the evidence of each step."""
        values, as_of = asked(shapes.PathQuery, request)
        story = actions.tell_story(values["source"], values["target"], _scope(values, as_of))
        return Response(shapes.PathSerializer(story).data)


class ShowDiff(GenericAPIView[Any]):
    """What changed between two instants."""

    serializer_class = shapes.ChangeSerializer
    queryset = None

    @extend_schema(
        operation_id="show_diff",
        parameters=[shapes.DiffQuery, shapes.PageQuery],
        tags=["lineage"],
        responses=answers(shapes.DiffSerializer),
    )
    def get(self, request: Request) -> Response:
        """Show which edges and nodes appeared, are gone or changed, and by what evidence."""
        values, as_of = asked(shapes.DiffQuery, request)
        since = actions.parse_instant(values["since"])
        kind = values.get("kind") or None
        found = actions.compare_instants(since, kind=kind, scope=_scope(values, as_of))
        page = self.paginate_queryset(found.edges)
        listed = self.get_paginated_response(shapes.ChangeSerializer(page, many=True).data)
        about = {
            "since": found.since,
            "until": found.until,
            "nodes": shapes.NodeChangeSerializer(found.nodes, many=True).data,
        }
        return Response({**about, **listed.data})


class ListOrphans(GenericAPIView[Any]):
    """Topics that nobody reads, or nobody writes."""

    serializer_class = shapes.OrphanSerializer
    queryset = None

    @extend_schema(
        operation_id="list_orphans",
        parameters=[shapes.OrphanQuery],
        tags=["lineage"],
        responses=answers(shapes.OrphanSerializer(many=True)),
    )
    def get(self, request: Request) -> Response:
        """List topics without readers or writers: never any, not since, or not known."""
        values, as_of = asked(shapes.OrphanQuery, request)
        idle = values.get("idle")
        found = actions.list_orphans(
            state=values.get("state"),
            idle=timedelta(seconds=idle) if idle else None,
            scope=_scope(values, as_of),
        )
        page = self.paginate_queryset(found)
        return self.get_paginated_response(shapes.OrphanSerializer(page, many=True).data)


class ListDeclared(GenericAPIView[Any]):
    """Declared against observed."""

    serializer_class = shapes.DeclaredSerializer
    queryset = None

    @extend_schema(
        operation_id="list_declared",
        parameters=[shapes.DeclaredQuery],
        tags=["lineage"],
        responses=answers(shapes.DeclaredSerializer(many=True)),
    )
    def get(self, request: Request) -> Response:
        """List topics with their declared writer, the observed ones and the verdict on both."""
        values, as_of = asked(shapes.DeclaredQuery, request)
        found = actions.list_declared(as_of=as_of, **values)
        page = self.paginate_queryset(found)
        return self.get_paginated_response(shapes.DeclaredSerializer(page, many=True).data)


class ListCouplings(GenericAPIView[Any]):
    """What flows between bounded contexts."""

    serializer_class = shapes.CouplingSerializer
    queryset = None

    @extend_schema(
        operation_id="list_couplings",
        parameters=[shapes.ScopeQuery],
        tags=["lineage"],
        responses=answers(shapes.CouplingSerializer(many=True)),
    )
    def get(self, request: Request) -> Response:
        """List which context feeds which, most topics first; mutual dependence is flagged."""
        values, as_of = asked(shapes.ScopeQuery, request)
        page = self.paginate_queryset(actions.list_couplings(_scope(values, as_of)))
        return self.get_paginated_response(shapes.CouplingSerializer(page, many=True).data)


class ListCycles(GenericAPIView[Any]):
    """Data that comes back."""

    serializer_class = shapes.CycleSerializer
    queryset = None

    @extend_schema(
        operation_id="list_cycles",
        parameters=[shapes.ScopeQuery],
        tags=["lineage"],
        responses=answers(shapes.CycleSerializer(many=True)),
    )
    def get(self, request: Request) -> Response:
        """List loops over several services, then services that read what they write."""
        values, as_of = asked(shapes.ScopeQuery, request)
        page = self.paginate_queryset(actions.list_cycles(_scope(values, as_of)))
        return self.get_paginated_response(shapes.CycleSerializer(page, many=True).data)


class ShowFootprint(GenericAPIView[Any]):
    """All of one service."""

    serializer_class = shapes.FootprintSerializer
    pagination_class = None

    @extend_schema(
        operation_id="show_footprint",
        parameters=[shapes.FootprintQuery],
        tags=["lineage"],
        responses=answers(shapes.FootprintSerializer),
    )
    def get(self, request: Request) -> Response:
        """Show what a service reads and writes, under which names, from where and since when."""
        values, as_of = asked(shapes.FootprintQuery, request)
        found = actions.take_footprint(values["service"], _scope(values, as_of))
        return Response(shapes.FootprintSerializer(found).data)
