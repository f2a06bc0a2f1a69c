"""The REST view that takes a sample now."""

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lineage.actions import parse_instant
from lineage.api.serializers import instant_filter, text_filter
from lineage.sampling import actions
from lineage.sampling.permitted import list_permissions


class OutcomeSerializer(serializers.Serializer[Any]):
    """What a sample came to."""

    cluster = serializers.CharField()
    at = serializers.DateTimeField()
    seconds = serializers.FloatField()
    observations = serializers.IntegerField()
    opened = serializers.IntegerField(help_text="intervals of evidence that began")
    failed = serializers.DictField(
        child=serializers.CharField(), help_text="kind of evidence → why it could not be read"
    )


class SampleQuery(serializers.Serializer[Any]):
    """Which clusters are sampled."""

    cluster = text_filter("name of the cluster; all by default")


class SampleNow(APIView):
    """A sample on demand."""

    @extend_schema(
        operation_id="sample_now",
        tags=["lineage"],
        parameters=[SampleQuery],
        request=None,
        responses=OutcomeSerializer(many=True),
    )
    def post(self, request: Request) -> Response:
        """Sample every cluster, or the one of `?cluster=`; 503 when none answers."""
        query = SampleQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        outcomes = actions.sample_now(query.validated_data.get("cluster") or None)
        return Response(OutcomeSerializer([asdict(it) for it in outcomes], many=True).data)


class PermissionSerializer(serializers.Serializer[Any]):
    """Who may read or write: permitted, not observed."""

    cluster = serializers.CharField()
    principal = serializers.CharField()
    service = serializers.CharField(
        allow_null=True, help_text="whom the catalog recognises by that principal"
    )
    operation = serializers.ChoiceField(choices=["read", "write"])
    pattern = serializers.CharField(help_text="`literal` (`*` is every topic) or `prefixed`")
    topic = serializers.CharField()
    host = serializers.CharField()
    first_seen = serializers.DateTimeField()
    denied = serializers.ListField(
        child=serializers.CharField(), help_text="patterns for which some of it is denied"
    )


class PermissionQuery(serializers.Serializer[Any]):
    """What permissions are asked for."""

    topic = text_filter("name of the topic; all by default")
    cluster = text_filter("name of the cluster; all by default")
    as_of = instant_filter()


class ListPermissions(GenericAPIView[Any]):
    """Who may read and write topics."""

    serializer_class = PermissionSerializer
    queryset = None

    @extend_schema(
        operation_id="list_permissions",
        parameters=[PermissionQuery],
        tags=["lineage"],
        responses=PermissionSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """List who may, by the clusters' access control entries; never who did."""
        query = PermissionQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        instant = asked.get("as_of")
        found = list_permissions(
            cluster=asked.get("cluster") or None,
            topic=asked.get("topic") or None,
            as_of=parse_instant(instant) if instant else None,
        )
        page = self.paginate_queryset(found)
        return self.get_paginated_response(PermissionSerializer(page, many=True).data)
