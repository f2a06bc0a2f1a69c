"""A definition checked over REST, before anything is declared."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lineage.connectors.checking import Check, check_declared


class FaultSerializer(serializers.Serializer[Any]):
    """What is wrong, at which key."""

    path = serializers.CharField(
        allow_blank=True, help_text="the key, as columns.email; empty: the definition as a whole"
    )
    message = serializers.CharField()


class CheckedColumnSerializer(serializers.Serializer[Any]):
    """A column that the copy would have."""

    name = serializers.CharField()
    type = serializers.CharField()
    fields = serializers.ListField(  # type: ignore[assignment]
        child=serializers.CharField(), help_text="the fields that it is made from, by dotted path"
    )
    how = serializers.CharField(
        allow_blank=True, help_text="what is done to them; empty: they are copied"
    )


class CheckSerializer(serializers.Serializer[Any]):
    """Every fault at once, and the columns by the newest schemas."""

    valid = serializers.BooleanField()
    faults = FaultSerializer(many=True)
    notes = serializers.ListField(child=serializers.CharField())
    columns = CheckedColumnSerializer(many=True)


class CheckConnector(APIView):
    """Checks a definition."""

    @extend_schema(
        operation_id="check_connector",
        request={"application/json": {"type": "object", "additionalProperties": True}},
        responses=CheckSerializer,
        parameters=[
            OpenApiParameter("reach", bool, description="open the target too, if it is there")
        ],
    )
    def post(self, request: Request) -> Response:
        """Check a definition against the newest schemas, the other copies and, asked, its target.

        Nothing is declared. Whatever is wrong is in the answer, which is 200 all the same.
        """
        if not isinstance(request.data, dict):
            raise ParseError("a definition is a JSON object")
        reach = request.query_params.get("reach", "").lower() in {"1", "true", "yes"}
        return Response(_shown(check_declared(request.data, reach=reach)))


def _shown(check: Check) -> dict[str, Any]:
    return {
        "valid": not check.faults,
        "faults": [
            {"path": _sendable(".".join(it.path)), "message": _sendable(it.message)}
            for it in check.faults
        ],
        "notes": list(check.notes),
        "columns": [
            {"name": it.name, "type": it.type, "fields": list(it.fields), "how": it.how}
            for it in check.columns
        ],
    }


def _sendable(text: str) -> str:
    """Return text without what UTF-8 has no bytes for: half a pair of surrogates, sent to us."""
    return text.encode(errors="replace").decode()
