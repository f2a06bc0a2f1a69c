"""Connectors and runs over REST: thin, all work is done by the actions."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lineage.connectors import actions
from lineage.connectors.api.serializers import (
    ConnectorSerializer,
    GenerationSerializer,
    QuarantineSerializer,
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

    @extend_schema(operation_id="regenerate", request=None, responses={202: RunSerializer})
    def post(self, _request: Request, name: str) -> Response:
        """Start a run that rebuilds the copy from the log; 409 while one is running."""
        return Response(RunSerializer(actions.regenerate(name)).data, 202)


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
        """List the generations of a copy, newest first: rows, digest, offsets, and its table."""
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
