"""Connectors declared, forgotten, rolled back and mended over REST; thin: actions do the work."""

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lineage.connectors import actions
from lineage.connectors.api.serializers import (
    ConnectorSerializer,
    DeclaredSerializer,
    ReplaySerializer,
    RunSerializer,
)

DEFINITION = {
    "type": "object",
    "required": ["topics", "target", "table"],
    "properties": {
        "name": {"type": "string", "description": "if given: that of the address"},
        "topics": {"type": "array", "items": {"type": "string"}},
        "target": {
            "type": "string",
            "description": "URL; a password only as ${NAME}, a variable of the connectors worker",
        },
        "table": {"type": "string"},
    },
    "additionalProperties": True,
}
"""Any key of a catalog file's connector; what is none is refused."""


class DescribeConnector(APIView):
    """One connector."""

    @extend_schema(operation_id="describe_connector", responses=ConnectorSerializer)
    def get(self, _request: Request, name: str) -> Response:
        """Describe one connector."""
        return Response(ConnectorSerializer(actions.describe_connector(name)).data)

    @extend_schema(
        operation_id="declare_connector",
        request={"application/json": DEFINITION},
        responses={200: DeclaredSerializer, 201: DeclaredSerializer},
    )
    def put(self, request: Request, name: str) -> Response:
        """Create the connector, or change it to what is declared; the same again changes nothing.

        Another target, table, key or mode makes another copy: it is stopped until regenerated.
        """
        if not isinstance(request.data, dict):
            raise ValidationError({"": ["a definition is an object"]})
        change = actions.declare_from_outside(name, request.data)
        answer = {
            "action": change.action,
            "changes": [
                {"field": one.field, "before": one.old, "after": one.new} for one in change.fields
            ],
            "connector": actions.describe_connector(name),
        }
        status = 201 if change.action == "created" else 200
        return Response(DeclaredSerializer(answer).data, status)

    @extend_schema(operation_id="forget_connector", responses={204: None})
    def delete(self, _request: Request, name: str) -> Response:
        """Stop copying and forget the connector; its tables and offsets stay in the target.

        409 while it has a run in progress.
        """
        actions.forget(name)
        return Response(status=204)


class RollBackConnector(APIView):
    """Goes back to the generation before the live one."""

    @extend_schema(operation_id="roll_back", request=None, responses={202: RunSerializer})
    def post(self, _request: Request, name: str) -> Response:
        """Start a run that makes the retired generation live again, at the offsets it was left at.

        409 where none is kept, or while a run is in progress.
        """
        return Response(RunSerializer(actions.roll_back(name)).data, 202)


class ReplayQuarantine(APIView):
    """Tries records in quarantine again."""

    @extend_schema(
        operation_id="replay_quarantine",
        request=ReplaySerializer,
        responses={202: RunSerializer},
    )
    def post(self, request: Request, name: str) -> Response:
        """Start a run that reads the records again from the log and merges those that are the
        newest of their keys; the others stay, with the reason they have now.

        Without a body, or without `records`, all of them. 404 where one is not in quarantine.
        """
        asked = ReplaySerializer(data=request.data or {})
        asked.is_valid(raise_exception=True)
        places = [
            (one["topic"], one["partition"], one["offset"])
            for one in asked.validated_data.get("records", [])
        ]
        return Response(RunSerializer(actions.replay(name, places)).data, 202)
