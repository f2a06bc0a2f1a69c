"""The shapes of lineage's REST answers."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from lineage.edges import NODE_KINDS, STRENGTH

_DIRECTIONS = ("both", "upstream", "downstream")
_INSTANT = "ISO 8601 instant; now by default"
_CLUSTER = "name of the cluster; all by default"
_NODE = "name, or kind:name"
_LONGEST = 600
"""Characters of the longest name that there can be, with its kind before it, and some more."""


class NodeSerializer(serializers.Serializer[object]):
    """A service, topic, copy, dataset, or an actor that no service is recognised in."""

    kind = serializers.ChoiceField(choices=NODE_KINDS)
    name = serializers.CharField()
    context = serializers.CharField(allow_null=True)  # type: ignore[assignment]  # a field named as an attribute of Field
    known_by = serializers.CharField(
        help_text="what an actor's name is: group, transactional_id, source, producer_id, job"
    )


class EvidenceSerializer(serializers.Serializer[object]):
    """One kind of proof."""

    kind = serializers.CharField()
    first_seen = serializers.DateTimeField()
    last_seen = serializers.DateTimeField()
    detail = serializers.JSONField()


class EdgeSerializer(serializers.Serializer[object]):
    """Data flows from source to target."""

    source = NodeSerializer()  # type: ignore[assignment]  # a field named as an attribute of Field
    target = NodeSerializer()
    evidence = EvidenceSerializer(many=True)
    first_seen = serializers.DateTimeField()
    last_seen = serializers.DateTimeField()
    confidence = serializers.FloatField()
    active = serializers.BooleanField(help_text="the newest proof is fresh")


class NeighbourhoodSerializer(serializers.Serializer[object]):
    """What surrounds a node; `dot` is the same as text for Graphviz."""

    focus = NodeSerializer()
    nodes = NodeSerializer(many=True)
    edges = EdgeSerializer(many=True)
    hidden = serializers.IntegerField(help_text="nodes in reach that the cap left out")
    dot = serializers.CharField()


def choice(choices: Sequence[str], **field: Any) -> serializers.ChoiceField:
    """Return an optional choice that tells, when it refuses, what there is to choose from."""
    refusal: dict[str, Any] = {"invalid_choice": f'"{{input}}" is none of {", ".join(choices)}'}
    return serializers.ChoiceField(
        choices, required=False, allow_blank=True, error_messages=refusal, **field
    )


def text_filter(meaning: str) -> serializers.CharField:
    """Return an optional text; empty is as good as not given."""
    return serializers.CharField(
        required=False, allow_blank=True, max_length=_LONGEST, help_text=meaning
    )


def named(meaning: str = _NODE) -> serializers.CharField:
    """Return the name or key of a node, without which there is no question."""
    return serializers.CharField(max_length=_LONGEST, help_text=meaning)


@extend_schema_field({"type": "string", "format": "date-time"})
class InstantField(serializers.CharField):
    """An optional ISO 8601 instant, read by the action that it is for; empty is not given."""


def instant_filter() -> InstantField:
    """Return an optional instant; empty is as good as not given."""
    return InstantField(required=False, allow_blank=True, help_text=_INSTANT)


class EdgeQuery(serializers.Serializer[object]):
    """What edges are asked for."""

    source = text_filter(_NODE)  # type: ignore[assignment]  # likewise
    target = text_filter(_NODE)
    kind = choice((*NODE_KINDS, *STRENGTH), help_text="kind of either node, or a kind of evidence")
    as_of = instant_filter()
    cluster = text_filter(_CLUSTER)


class NeighbourhoodQuery(serializers.Serializer[object]):
    """Around which node, and how far."""

    focus = named()
    hops = serializers.IntegerField(required=False, default=1, min_value=1, max_value=20)
    cap = serializers.IntegerField(required=False, default=60, min_value=1, max_value=2000)
    direction = serializers.ChoiceField(
        required=False,
        default="both",
        choices=_DIRECTIONS,
        error_messages={"invalid_choice": f'"{{input}}" is none of {", ".join(_DIRECTIONS)}'},
    )
    as_of = instant_filter()
    cluster = text_filter(_CLUSTER)


class SamplingQuery(serializers.Serializer[object]):
    """Of which cluster."""

    cluster = text_filter(_CLUSTER)


class SamplingSerializer(serializers.Serializer[object]):
    """The last run of one kind of sampler."""

    cluster = serializers.CharField(source="cluster.name")
    kind = serializers.CharField()
    sampled_at = serializers.DateTimeField()
    succeeded_at = serializers.DateTimeField(allow_null=True)
    duration_ms = serializers.IntegerField()
    observations = serializers.IntegerField()
    message = serializers.CharField(help_text="what failed or could not be read; or empty")
