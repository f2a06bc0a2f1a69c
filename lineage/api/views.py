"""The REST views of lineage: read the query, call an action, show the answer."""

from datetime import datetime
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from lineage import actions, dot, exports
from lineage.api.serializers import (
    EdgeQuery,
    EdgeSerializer,
    NeighbourhoodQuery,
    NeighbourhoodSerializer,
    SamplingQuery,
    SamplingSerializer,
)
from lineage.picture import of_subgraph

_REFUSED = {
    (400, "application/problem+json"): OpenApiResponse(
        {"$ref": "#/components/schemas/Problem"},
        "A parameter is not readable (`invalid`), or `as_of` is no instant (`instant-invalid`)",
    )
}


def answers(shape: Any) -> dict[tuple[int, str], Any]:
    """What the API's description says of a question: its answer, and how it is refused."""
    return {(200, "application/json"): shape, **_REFUSED}


def asked(query: type[Any], request: Request) -> tuple[dict[str, Any], datetime | None]:
    """Read a query, and the instant it asks for. Raises InstantInvalidError, ValidationError."""
    read = query(data=request.query_params)
    read.is_valid(raise_exception=True)
    values = dict(read.validated_data)
    instant = values.pop("as_of", None)
    return values, actions.parse_instant(instant) if instant else None


class ListEdges(GenericAPIView[Any]):
    """Observed edges, as of now or of any instant."""

    serializer_class = EdgeSerializer
    queryset = None

    @extend_schema(
        operation_id="list_edges",
        parameters=[EdgeQuery],
        tags=["lineage"],
        responses=answers(EdgeSerializer(many=True)),
    )
    def get(self, request: Request) -> Response:
        """List edges, each with its evidence."""
        values, as_of = asked(EdgeQuery, request)
        page = self.paginate_queryset(actions.find_edges(as_of=as_of, **values))
        return self.get_paginated_response(EdgeSerializer(page, many=True).data)


class _Text(BaseRenderer):
    """Shows a text as it is; what is refused stays JSON."""

    charset = "utf-8"

    def render(self, data: Any, *_context: Any, **_more: Any) -> bytes:
        """Return the text; a problem is no text."""
        return data.encode() if isinstance(data, str) else JSONRenderer().render(data)


class DotText(_Text):
    """Graphviz's language."""

    media_type = "text/vnd.graphviz"
    format = "dot"


class MermaidText(_Text):
    """A flowchart for documents."""

    media_type = "text/vnd.mermaid"
    format = "mermaid"


class ShowNeighbourhood(GenericAPIView[Any]):
    """What surrounds a node."""

    serializer_class = NeighbourhoodSerializer
    pagination_class = None
    renderer_classes = [JSONRenderer, DotText, MermaidText]

    @extend_schema(
        operation_id="show_neighbourhood",
        parameters=[NeighbourhoodQuery],
        tags=["lineage"],
        responses={
            **answers(NeighbourhoodSerializer),
            (200, "text/vnd.graphviz"): str,
            (200, "text/vnd.mermaid"): str,
        },
    )
    def get(self, request: Request) -> Response:
        """Return nodes and edges near the focus, and their drawing; or the drawing alone."""
        values, as_of = asked(NeighbourhoodQuery, request)
        focus, part = actions.neighbourhood(values.pop("focus"), as_of=as_of, **values)
        shown = request.accepted_renderer
        if isinstance(shown, _Text):
            picture = of_subgraph(part, focus)
            as_text = exports.as_dot if isinstance(shown, DotText) else exports.as_mermaid
            return Response(as_text(picture))
        answer = {
            "focus": focus,
            "nodes": part.nodes,
            "edges": part.edges,
            "hidden": part.hidden,
            "dot": dot.draw(part, focus=focus),
        }
        return Response(NeighbourhoodSerializer(answer).data)


class ListSamplings(GenericAPIView[Any]):
    """How fresh each kind of evidence is."""

    serializer_class = SamplingSerializer
    queryset = None

    @extend_schema(
        operation_id="list_samplings",
        parameters=[SamplingQuery],
        tags=["lineage"],
        responses=SamplingSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """List the last run of each kind of sampler."""
        found = actions.list_samplings(request.query_params.get("cluster"))
        page = self.paginate_queryset(found)
        return self.get_paginated_response(SamplingSerializer(page, many=True).data)
