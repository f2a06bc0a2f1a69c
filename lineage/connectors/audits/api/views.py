"""Audits and repairs over REST: thin, all work is done by the actions and the worker."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lineage.connectors.api.serializers import RunSerializer
from lineage.connectors.audits import actions
from lineage.connectors.audits.api.serializers import (
    AuditDetailSerializer,
    AuditSerializer,
    DivergenceSerializer,
)


class AuditConnector(APIView):
    """Audits a copy."""

    @extend_schema(operation_id="audit_connector", request=None, responses={202: RunSerializer})
    def post(self, _request: Request, name: str) -> Response:
        """Start a run that compares the copy with its log; 409 while a run is in progress."""
        return Response(RunSerializer(actions.request_audit(name)).data, 202)


class RepairConnector(APIView):
    """Repairs a copy by key."""

    @extend_schema(operation_id="repair_connector", request=None, responses={202: RunSerializer})
    def post(self, _request: Request, name: str) -> Response:
        """Start a run that audits the copy and writes the log's row of every key that differs.

        409 while a run is in progress.
        """
        return Response(RunSerializer(actions.request_repair(name)).data, 202)


class ListAudits(GenericAPIView[Any]):
    """Audits of a copy."""

    serializer_class = AuditSerializer

    @extend_schema(operation_id="list_audits", responses=AuditSerializer(many=True))
    def get(self, _request: Request, name: str) -> Response:
        """List the audits of a copy, newest first."""
        page = self.paginate_queryset(actions.list_audits(name))
        return self.get_paginated_response(AuditSerializer(page, many=True).data)


class DescribeAudit(GenericAPIView[Any]):
    """One audit."""

    serializer_class = AuditDetailSerializer

    @extend_schema(operation_id="describe_audit", responses=AuditDetailSerializer)
    def get(self, _request: Request, name: str, audit_id: UUID) -> Response:
        """Describe an audit, and page through the keys that it saw differ."""
        audit = actions.find_audit(name, audit_id)
        page = self.paginate_queryset(actions.divergences_of(audit))
        shown = self.get_paginated_response(DivergenceSerializer(page, many=True).data).data
        answer = {
            "audit": AuditSerializer(audit).data,
            "count": shown["count"],
            "next": shown["next"],
            "previous": shown["previous"],
            "divergences": shown["results"],
        }
        return Response(answer)
