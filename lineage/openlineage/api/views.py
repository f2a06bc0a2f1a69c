"""The REST views of OpenLineage: read the body within its limits, receive, answer."""

import hmac
import zlib
from collections.abc import Sequence
from typing import Any

import orjson
from django.conf import settings
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lineage.openlineage.api.serializers import (
    BatchSerializer,
    EventSerializer,
    FacetQuery,
    FacetSerializer,
    ReceiptSerializer,
)
from lineage.openlineage.errors import (
    EventInvalidError,
    EventTooLargeError,
    EventUnreadableError,
    KeyWrongError,
)
from lineage.openlineage.receive import receive
from lineage.openlineage.told import list_facets

_GZIP = 31


def _problem(meaning: str) -> OpenApiResponse:
    return OpenApiResponse({"$ref": "#/components/schemas/Problem"}, meaning)


_REFUSED = {
    (400, "application/problem+json"): _problem("`openlineage-event-unreadable`: no JSON"),
    (401, "application/problem+json"): _problem("`openlineage-key-wrong`"),
    (413, "application/problem+json"): _problem("`openlineage-event-too-large`"),
    (415, "application/problem+json"): _problem("`unsupported-media-type`: not application/json"),
}


def _read(request: Request, limit: int) -> Any:
    """Return the body's JSON, unzipped, of at most `limit` bytes; raises OpenLineageError."""
    key = settings.OPENLINEAGE_RECEIVE_KEY
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if key and not hmac.compare_digest(given.encode(), key.encode()):
        raise KeyWrongError("an OpenLineage event needs the bearer token OPENLINEAGE_RECEIVE_KEY")
    # a page of another origin can post a form, and text, but no JSON
    if (request.content_type or "").partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaType(request.content_type or "")
    stream = request.stream
    raw = stream.read(limit + 1) if stream is not None else b""
    if request.headers.get("Content-Encoding", "").strip().lower() == "gzip":
        try:
            raw = zlib.decompressobj(_GZIP).decompress(raw, limit + 1)
        except zlib.error as error:
            raise EventUnreadableError(f"the body is no gzip: {error}") from error
    if len(raw) > limit:
        raise EventTooLargeError(f"the body is larger than {limit} bytes")
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise EventUnreadableError(f"the body is no JSON: {error}") from error


def _event(read: Any) -> dict[str, Any]:
    if not isinstance(read, dict):
        raise EventUnreadableError("an event is a JSON object")
    return read


class ReceiveEvent(APIView):
    """Where OpenLineage clients post their events."""

    @extend_schema(
        operation_id="receive_openlineage_event",
        tags=["lineage"],
        request={"application/json": EventSerializer},
        responses={
            (201, "application/json"): ReceiptSerializer,
            **_REFUSED,
            (422, "application/problem+json"): _problem("`openlineage-event-invalid`: where, what"),
        },
    )
    def post(self, request: Request) -> Response:
        """Receive an OpenLineage event; its inputs and outputs become evidence."""
        event = _event(_read(request, settings.OPENLINEAGE_MAX_EVENT_BYTES))
        return Response(ReceiptSerializer(receive(event)).data, 201)


class ReceiveBatch(APIView):
    """Where OpenLineage clients post many events at once."""

    @extend_schema(
        operation_id="receive_openlineage_batch",
        tags=["lineage"],
        request={"application/json": EventSerializer(many=True)},
        responses={(200, "application/json"): BatchSerializer, **_REFUSED},
    )
    def post(self, request: Request) -> Response:
        """Receive many events; each is taken or refused by itself."""
        events = _read(request, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        if not isinstance(events, list):
            raise EventUnreadableError("a batch is a JSON list of events")
        return Response(BatchSerializer(_answer(events)).data)


def _answer(events: Sequence[Any]) -> dict[str, Any]:
    failed = []
    for index, event in enumerate(events):
        try:
            receive(_event(event))
        except (EventInvalidError, EventUnreadableError) as error:
            failed.append({"index": index, "reason": str(error), "retriable": False})
    return {
        "status": "partial_success" if failed else "success",
        "summary": {
            "received": len(events),
            "successful": len(events) - len(failed),
            "failed": len(failed),
            "retriable": 0,
            "non_retriable": len(failed),
        },
        "failed_events": failed,
    }


class ListFacets(GenericAPIView[Any]):
    """What events told of jobs and datasets."""

    serializer_class = FacetSerializer
    queryset = None

    @extend_schema(
        operation_id="list_openlineage_facets",
        parameters=[FacetQuery],
        tags=["lineage"],
        responses={
            (200, "application/json"): FacetSerializer(many=True),
            (400, "application/problem+json"): _problem("A parameter is not readable (`invalid`)"),
            (404, "application/problem+json"): _problem("No cluster is called so"),
        },
    )
    def get(self, request: Request) -> Response:
        """List the newest of each facet: schema, ownership, documentation, …"""
        asked = FacetQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        page = self.paginate_queryset(list_facets(**asked.validated_data))
        return self.get_paginated_response(FacetSerializer(page, many=True).data)
