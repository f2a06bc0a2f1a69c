"""The REST view that takes a sample now."""

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lineage.sampling import actions


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


class SampleNow(APIView):
    """A sample on demand."""

    @extend_schema(
        operation_id="sample_now",
        tags=["lineage"],
        request=None,
        responses=OutcomeSerializer(many=True),
    )
    def post(self, request: Request) -> Response:
        """Sample every cluster, or the one of `?cluster=`; 503 when none answers."""
        outcomes = actions.sample_now(request.query_params.get("cluster"))
        return Response(OutcomeSerializer([asdict(it) for it in outcomes], many=True).data)
