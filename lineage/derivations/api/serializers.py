"""What derivations look like in JSON."""

from typing import Any

from rest_framework import serializers

from lineage.api.serializers import EvidenceSerializer, InstantField, NodeSerializer
from lineage.derivations.derivation import DEEPEST

CERTAINTIES = ("certain", "likely")
_NODE = "name, or kind:name"


def instant() -> InstantField:
    """Return the parameter for an earlier time."""
    return InstantField(
        required=False, allow_blank=True, help_text="ISO 8601 instant; now by default"
    )


def text(meaning: str) -> serializers.CharField:
    """Return an optional text; empty is as good as not given."""
    return serializers.CharField(required=False, allow_blank=True, help_text=meaning)


def depth(default: int) -> serializers.IntegerField:
    """Return how many steps are followed."""
    return serializers.IntegerField(
        required=False,
        default=default,
        min_value=1,
        max_value=DEEPEST,
        help_text="how many steps are followed",
    )


class DerivationQuery(serializers.Serializer[Any]):
    """Which derivations; what is given must all fit."""

    view = text(f"what was derived: {_NODE}")
    service = text(f"who derives: {_NODE}")
    stream = text(f"from what: {_NODE}")
    depth = depth(1)
    as_of = instant()
    cluster = text("name of the cluster; all by default")


class InputSerializer(serializers.Serializer[Any]):
    """One stream that a view is derived from."""

    node = NodeSerializer()
    certainty = serializers.ChoiceField(choices=CERTAINTIES)
    confidence = serializers.FloatField()
    because = serializers.CharField(help_text="what ties it to the view")
    evidence = EvidenceSerializer(source="edge.evidence", many=True)


class CrossingSerializer(serializers.Serializer[Any]):
    """Data passes from one bounded context into another."""

    source = serializers.CharField()  # type: ignore[assignment]  # a field named as an attribute of Field
    target = serializers.CharField()


class DerivationSerializer(serializers.Serializer[Any]):
    """A deriver makes a view from its inputs."""

    view = NodeSerializer()
    deriver = NodeSerializer(help_text="a service, an actor, or a copy, which its connector makes")
    inputs = InputSerializer(many=True)
    certainty = serializers.ChoiceField(choices=CERTAINTIES, help_text="of the surest input")
    confidence = serializers.FloatField()
    evidence = EvidenceSerializer(
        source="written.evidence", many=True, help_text="that the deriver writes the view"
    )
    crosses = CrossingSerializer(many=True)
    first_seen = serializers.DateTimeField()
    last_seen = serializers.DateTimeField()
    active = serializers.BooleanField()
    distance = serializers.IntegerField(help_text="derivations from what was asked for")


class PlaceSerializer(serializers.Serializer[Any]):
    """A field of a topic or copy."""

    kind = serializers.CharField()
    name = serializers.CharField()
    field = serializers.CharField(
        help_text="a dotted path; `$key` and `$value` have no fields; empty: all of it"
    )


class FieldFlowSerializer(serializers.Serializer[Any]):
    """A field reaches another."""

    source = PlaceSerializer(source="flow.source")  # type: ignore[assignment]  # likewise
    target = PlaceSerializer(source="flow.target")
    transformation = serializers.CharField(source="flow.transformation")
    certainty = serializers.ChoiceField(
        source="flow.certainty",
        choices=("exact", "told", "inferred"),
        help_text="by a connector's definition; by a job of itself; by name and type alone",
    )
    inferred = serializers.BooleanField(source="flow.inferred")
    via = serializers.CharField(source="flow.via", help_text="who passes it on, as kind:name")
    because = serializers.CharField(source="flow.because")
    direction = serializers.ChoiceField(choices=("upstream", "downstream"))
    distance = serializers.IntegerField(help_text="flows from the field that was asked for")


class TypedFieldSerializer(serializers.Serializer[Any]):
    """A field of the schema in force, or a column of a copy."""

    path = serializers.CharField()
    type = serializers.CharField(help_text="as its format spells it; empty of a column")


class FieldAnswerSerializer(serializers.Serializer[Any]):
    """The fields of a node, and the flows that touch the one asked for (or any)."""

    node = NodeSerializer()
    field = serializers.CharField()
    fields = TypedFieldSerializer(many=True)  # type: ignore[assignment]  # likewise
    flows = FieldFlowSerializer(source="steps", many=True)


class FieldQuery(serializers.Serializer[Any]):
    """Which field, and which way."""

    node = serializers.CharField(help_text=_NODE)
    field = text("a dotted path; all fields by default")
    direction = serializers.ChoiceField(
        required=False, default="both", choices=("both", "upstream", "downstream")
    )
    depth = depth(1)
    as_of = instant()
    cluster = text("name of the cluster; all by default")
