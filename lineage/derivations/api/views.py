"""The REST views of derivations: read the query, call an action, show the answer."""

from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from lineage.actions import parse_instant
from lineage.derivations import actions, actors
from lineage.derivations.api.serializers import (
    ActorQuery,
    ActorSerializer,
    ClaimQuery,
    ClaimSerializer,
    DerivationQuery,
    DerivationSerializer,
    FieldAnswerSerializer,
    FieldQuery,
    ImpactQuery,
    ImpactSerializer,
    NewClaimSerializer,
)
from lineage.derivations.fields import trace_fields
from lineage.derivations.impact import Question, find_impact


def asked(query: type[Any], sent: Any) -> tuple[dict[str, Any], datetime | None]:
    """Read the parameters, of a query or a body; the instant apart."""
    read = query(data=sent)
    read.is_valid(raise_exception=True)
    values = dict(read.validated_data)
    instant = values.pop("as_of", None)
    return values, parse_instant(instant) if instant else None


class ListDerivations(GenericAPIView[Any]):
    """Who derives which view from which streams."""

    serializer_class = DerivationSerializer
    queryset = None

    @extend_schema(
        operation_id="list_derivations",
        parameters=[DerivationQuery],
        responses=DerivationSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """List derivations, each with its inputs, how sure they are, and the proof."""
        values, as_of = asked(DerivationQuery, request.query_params)
        page = self.paginate_queryset(actions.list_derivations(as_of=as_of, **values))
        return self.get_paginated_response(DerivationSerializer(page, many=True).data)


class TraceFields(GenericAPIView[Any]):
    """Where fields come from and go to."""

    serializer_class = FieldAnswerSerializer
    pagination_class = None
    queryset = None

    @extend_schema(
        operation_id="trace_fields", parameters=[FieldQuery], responses=FieldAnswerSerializer
    )
    def get(self, request: Request) -> Response:
        """Follow a field of a topic or copy through copies and derived topics."""
        values, as_of = asked(FieldQuery, request.query_params)
        return Response(FieldAnswerSerializer(trace_fields(as_of=as_of, **values)).data)


class FindImpact(GenericAPIView[Any]):
    """What a change reaches."""

    serializer_class = ImpactSerializer
    pagination_class = None
    queryset = None

    @extend_schema(operation_id="find_impact", parameters=[ImpactQuery], responses=ImpactSerializer)
    def get(self, request: Request) -> Response:
        """Tell what changing or dropping a topic, a schema version or a field reaches."""
        return _impact(request.query_params)

    @extend_schema(operation_id="judge_impact", request=ImpactQuery, responses=ImpactSerializer)
    def post(self, request: Request) -> Response:
        """Tell the same, asked in a body: a candidate schema may be longer than an address."""
        return _impact(request.data)


def _impact(sent: Any) -> Response:
    values, as_of = asked(ImpactQuery, sent)
    return Response(ImpactSerializer(find_impact(Question(as_of=as_of, **values))).data)


class DescribeActor(GenericAPIView[Any]):
    """An actor of Kafka."""

    serializer_class = ActorSerializer
    pagination_class = None
    queryset = None

    @extend_schema(
        operation_id="describe_actor", parameters=[ActorQuery], responses=ActorSerializer
    )
    def get(self, request: Request) -> Response:
        """Tell what an actor reads and writes, the names tied to it, and whose it is."""
        values, as_of = asked(ActorQuery, request.query_params)
        return Response(ActorSerializer(actors.describe_actor(as_of=as_of, **values)).data)


class ListClaims(GenericAPIView[Any]):
    """Claims of actors for services."""

    serializer_class = ClaimSerializer
    queryset = None

    @extend_schema(
        operation_id="list_claims", parameters=[ClaimQuery], responses=ClaimSerializer(many=True)
    )
    def get(self, request: Request) -> Response:
        """List the claims that stand, newest first; with `ended` all there were."""
        values, _ = asked(ClaimQuery, request.query_params)
        page = self.paginate_queryset(actors.list_claims(**values))
        return self.get_paginated_response(ClaimSerializer(page, many=True).data)

    @extend_schema(
        operation_id="claim_actor", request=NewClaimSerializer, responses={201: ClaimSerializer}
    )
    def post(self, request: Request) -> Response:
        """Claim an unresolved actor for a service; 409 where one is recognised in it already."""
        values, _ = asked(NewClaimSerializer, request.data)
        return Response(ClaimSerializer(actors.claim_actor(**values)).data, 201)


class ShowClaim(GenericAPIView[Any]):
    """One claim."""

    serializer_class = ClaimSerializer
    pagination_class = None
    queryset = None

    @extend_schema(operation_id="find_claim", responses=ClaimSerializer)
    def get(self, _request: Request, number: int) -> Response:
        """Return a claim that stands."""
        return Response(ClaimSerializer(actors.find_claim(number)).data)

    @extend_schema(operation_id="withdraw_claim", responses=ClaimSerializer)
    def delete(self, request: Request, number: int) -> Response:
        """Undo a claim: the actor is unresolved again; who undid it may be told as `by`."""
        by = request.query_params.get("by", "")
        return Response(ClaimSerializer(actors.withdraw(number, by=by)).data)
