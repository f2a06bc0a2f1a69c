"""The catalog over REST; each view reads its filters, calls an action and shows the answer."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from catalog.actions import (
    describe_service,
    describe_services,
    describe_topic,
    describe_topics,
    find_cluster,
    find_service,
    find_topic,
    list_findings,
)
from catalog.api.serializers import (
    VERDICTS,
    ClusterSerializer,
    ContextSerializer,
    FindingSerializer,
    ServiceSerializer,
    TopicDetailSerializer,
    TopicSerializer,
)
from catalog.models import BoundedContext, Cluster, Service, Topic
from catalog.policies import POLICIES
from catalog.policies.contract import SEVERITIES


def _choice(request: Request, name: str, choices: Sequence[str]) -> str | None:
    """Return a filter that is one of `choices`; `None` when it is not given."""
    value = request.query_params.get(name)
    if value and value not in choices:
        raise ValidationError({name: [f"{value!r} is none of {', '.join(choices)}"]})
    return value or None


def _text(name: str, meaning: str, choices: Sequence[str] | None = None) -> OpenApiParameter:
    return OpenApiParameter(name, str, description=meaning, enum=choices)


class _ListView(GenericAPIView[Any]):
    """A list of the envelope that the whole API shares."""

    def answer(
        self, items: QuerySet[Any] | Sequence[Any], serializer: type[BaseSerializer[Any]]
    ) -> Response:
        """Return the page that the request asks for."""
        page = self.paginate_queryset(items)
        return self.get_paginated_response(serializer(page, many=True).data)


class ListTopics(_ListView):
    """All topics that Kafka has or somebody declared."""

    serializer_class = TopicSerializer

    @extend_schema(
        operation_id="list_topics",
        responses=TopicSerializer(many=True),
        parameters=[
            _text("q", "part of the name or the description"),
            _text("cluster", "name of the cluster"),
            _text("context", "name of the bounded context that owns it"),
            _text("kind", "what its records are", Topic.Kind.values),
            _text("verdict", "whether its single writer holds", VERDICTS),
        ],
    )
    def get(self, request: Request) -> Response:
        """List the topics by cluster and name, with the writer's verdict and the readers."""
        topics = _filtered(request)
        verdict = _choice(request, "verdict", VERDICTS)
        if verdict:
            found = [view for view in describe_topics(topics) if view.writer.verdict == verdict]
            return self.answer(found, TopicSerializer)
        page = describe_topics(self.paginate_queryset(topics) or [])
        return self.get_paginated_response(TopicSerializer(page, many=True).data)


def _filtered(request: Request) -> QuerySet[Topic]:
    wanted = request.query_params
    topics = (
        Topic.objects
        .filter(Q(declared=True) | Q(gone_at=None))
        .select_related("cluster", "context", "writer")
        .defer("configs")
        .order_by("cluster__name", "name")
    )
    if q := wanted.get("q", "").strip():
        topics = topics.filter(Q(name__icontains=q) | Q(description__icontains=q))
    if cluster := wanted.get("cluster"):
        topics = topics.filter(cluster=find_cluster(cluster))
    if context := wanted.get("context"):
        topics = topics.filter(context__name=context)
    if kind := _choice(request, "kind", Topic.Kind.values):
        topics = topics.filter(kind=kind)
    return topics


class ShowTopic(GenericAPIView[Any]):
    """One topic."""

    serializer_class = TopicDetailSerializer

    @extend_schema(operation_id="show_topic", responses=TopicDetailSerializer)
    def get(self, _request: Request, cluster: str, name: str) -> Response:
        """Show a topic with its configuration, its sizes and everyone observed at it."""
        return Response(TopicDetailSerializer(describe_topic(find_topic(cluster, name))).data)


class ListServices(_ListView):
    """All services."""

    serializer_class = ServiceSerializer

    @extend_schema(
        operation_id="list_services",
        responses=ServiceSerializer(many=True),
        parameters=[
            _text("q", "part of the name or the description"),
            _text("context", "name of the bounded context that it belongs to"),
        ],
    )
    def get(self, request: Request) -> Response:
        """List the services by name, with what they were seen to write and read."""
        services = Service.objects.select_related("context").order_by("name")
        if q := request.query_params.get("q", "").strip():
            services = services.filter(Q(name__icontains=q) | Q(description__icontains=q))
        if context := request.query_params.get("context"):
            services = services.filter(context__name=context)
        page = describe_services(self.paginate_queryset(services) or [])
        return self.get_paginated_response(ServiceSerializer(page, many=True).data)


class ShowService(GenericAPIView[Any]):
    """One service."""

    serializer_class = ServiceSerializer

    @extend_schema(operation_id="show_service", responses=ServiceSerializer)
    def get(self, _request: Request, name: str) -> Response:
        """Show a service with what it was seen to write and read."""
        return Response(ServiceSerializer(describe_service(find_service(name))).data)


class ListContexts(_ListView):
    """All bounded contexts."""

    serializer_class = ContextSerializer

    @extend_schema(operation_id="list_contexts", responses=ContextSerializer(many=True))
    def get(self, _request: Request) -> Response:
        """List the bounded contexts by name, with their services and topics."""
        contexts = BoundedContext.objects.prefetch_related("services", "topics").order_by("name")
        return self.answer(contexts, ContextSerializer)


class ListClusters(_ListView):
    """All clusters."""

    serializer_class = ClusterSerializer

    @extend_schema(operation_id="list_clusters", responses=ClusterSerializer(many=True))
    def get(self, _request: Request) -> Response:
        """List the clusters by name, with what became of the last attempt to reach each."""
        return self.answer(Cluster.objects.order_by("name"), ClusterSerializer)


class ListFindings(_ListView):
    """What contradicts the policies."""

    serializer_class = FindingSerializer

    @extend_schema(
        operation_id="list_findings",
        responses=FindingSerializer(many=True),
        parameters=[
            _text("rule", "name of the rule", list(POLICIES)),
            _text("severity", "how grave", SEVERITIES),
            _text("subject", "name of the topic, service or cluster"),
        ],
    )
    def get(self, request: Request) -> Response:
        """List the findings, the gravest first."""
        severity = _choice(request, "severity", SEVERITIES)
        rule = _choice(request, "rule", list(POLICIES))
        subject = request.query_params.get("subject")
        found = [
            finding
            for finding in list_findings()
            if severity in {None, finding.severity}
            and rule in {None, finding.rule}
            and subject in {None, "", finding.subject.name}
        ]
        return self.answer(found, FindingSerializer)
