"""Connectors and runs over REST: thin, all work is done by the actions."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lineage.actions import parse_instant
from lineage.connectors import actions
from lineage.connectors.api.serializers import (
    ConnectorSerializer,
    GenerationSerializer,
    QuarantineSerializer,
    RegenerateSerializer,
    RunSerializer,
)
from lineage.connectors.models import Run


class ListConnectors(GenericAPIView[Any]):
    """All connectors."""

    serializer_class = ConnectorSerializer

    @extend_schema(operation_id="list_connectors", responses=ConnectorSerializer(many=True))
    def get(self, _request: Request) -> Response:
        """List the connectors by name, with state, lag and live generation."""
        page = self.paginate_queryset(actions.list_connectors())
        return self.get_paginated_response(ConnectorSerializer(page, many=True).data)


class RegenerateConnector(APIView):
    """Builds a copy anew."""

    # a body of any kind was taken when there was nothing to say in it
    parser_classes = (JSONParser, FormParser, MultiPartParser)

    @extend_schema(
        operation_id="regenerate",
        request={"application/json": RegenerateSerializer},
        responses={202: RunSerializer},
    )
    def post(self, request: Request, name: str) -> Response:
        """Start a run that rebuilds the copy from the log; 409 while one is running.

        With `as_of` it builds a table of its own instead, which holds what the log said at that
        instant; the copy is left alone. 422 for an instant in the future.
        """
        asked = RegenerateSerializer(data=request.data or {})
        asked.is_valid(raise_exception=True)
        text = asked.validated_data.get("as_of")
        if text is None:
            return Response(RunSerializer(actions.regenerate(name)).data, 202)
        run = actions.regenerate_as_of(name, parse_instant(text))
        return Response(RunSerializer(run).data, 202)


class DropGeneration(APIView):
    """Drops a table as of a time."""

    @extend_schema(operation_id="drop_table_as_of", request=None, responses={202: RunSerializer})
    def delete(self, _request: Request, name: str, table: str) -> Response:
        """Start a run that drops a table as of a time; the copy's own tables cannot be dropped.

        404 where the connector has no table as of a time of this name.
        """
        return Response(RunSerializer(actions.drop_as_of(name, table)).data, 202)


class PauseConnector(APIView):
    """Pauses copying."""

    @extend_schema(operation_id="pause_connector", request=None, responses=ConnectorSerializer)
    def post(self, _request: Request, name: str) -> Response:
        """Stop copying until resumed."""
        actions.pause(name)
        return Response(ConnectorSerializer(actions.describe_connector(name)).data)


class ResumeConnector(APIView):
    """Resumes copying."""

    @extend_schema(operation_id="resume_connector", request=None, responses=ConnectorSerializer)
    def post(self, _request: Request, name: str) -> Response:
        """Go on copying from the offsets kept in the target."""
        actions.resume(name)
        return Response(ConnectorSerializer(actions.describe_connector(name)).data)


class ListQuarantine(GenericAPIView[Any]):
    """Records that could not be copied."""

    serializer_class = QuarantineSerializer

    @extend_schema(operation_id="list_quarantine", responses=QuarantineSerializer(many=True))
    def get(self, _request: Request, name: str) -> Response:
        """List the records left out of the copy, newest first, with the cause of each."""
        page = self.paginate_queryset(actions.find_connector(name).quarantine.all())
        return self.get_paginated_response(QuarantineSerializer(page, many=True).data)


class ListGenerations(GenericAPIView[Any]):
    """What was built of a copy."""

    serializer_class = GenerationSerializer

    @extend_schema(operation_id="list_generations", responses=GenerationSerializer(many=True))
    def get(self, _request: Request, name: str) -> Response:
        """List the generations of a copy, newest first: rows, digest, offsets, and its table.

        After them come its tables as of a time.
        """
        page = self.paginate_queryset(actions.list_generations(name))
        return self.get_paginated_response(GenerationSerializer(page, many=True).data)


class ListRuns(GenericAPIView[Any]):
    """All runs."""

    serializer_class = RunSerializer

    @extend_schema(
        operation_id="list_runs",
        responses=RunSerializer(many=True),
        parameters=[
            OpenApiParameter("connector", str, description="name of the connector"),
            OpenApiParameter("state", str, description="how it stands", enum=Run.State.values),
        ],
    )
    def get(self, request: Request) -> Response:
        """List the runs, newest first."""
        state = request.query_params.get("state")
        if state and state not in Run.State.values:
            known = ", ".join(Run.State.values)
            raise ValidationError({"state": [f"{state!r} is none of {known}"]})
        runs = actions.list_runs(request.query_params.get("connector"), state)
        page = self.paginate_queryset(runs)
        return self.get_paginated_response(RunSerializer(page, many=True).data)


class DescribeRun(APIView):
    """One run."""

    @extend_schema(operation_id="describe_run", responses=RunSerializer)
    def get(self, _request: Request, run_id: UUID) -> Response:
        """Describe a run: state, phase, done of total, message and log."""
        return Response(RunSerializer(actions.find_run(run_id)).data)


class CancelRun(APIView):
    """Cancels a run."""

    @extend_schema(operation_id="cancel_run", request=None, responses={202: RunSerializer})
    def post(self, _request: Request, run_id: UUID) -> Response:
        """Ask a run to stop; the copy stays as it was. 409 when the run has ended."""
        return Response(RunSerializer(actions.cancel(actions.find_run(run_id))).data, 202)
