"""What derivations look like in JSON."""

from typing import Any

from rest_framework import serializers

from catalog.models import Claim
from catalog.recognition import PATTERN_KEYS
from lineage.api.serializers import (
    EdgeSerializer,
    EvidenceSerializer,
    InstantField,
    NodeSerializer,
    named,
)
from lineage.api.serializers import text_filter as text
from lineage.derivations.derivation import DEEPEST
from lineage.derivations.effects import CHANGES
from lineage.derivations.reach import CERTAINTIES as REACHED
from registry.formats import NAMES

CERTAINTIES = ("certain", "likely")
_NODE = "name, or kind:name"


def instant() -> InstantField:
    """Return the parameter for an earlier time."""
    return InstantField(
        required=False, allow_blank=True, help_text="ISO 8601 instant; now by default"
    )


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

    node = named()
    field = text("a dotted path; all fields by default")
    direction = serializers.ChoiceField(
        required=False, default="both", choices=("both", "upstream", "downstream")
    )
    depth = depth(1)
    as_of = instant()
    cluster = text("name of the cluster; all by default")


class ImpactQuery(serializers.Serializer[Any]):
    """What would be changed: a node, or a subject; and how."""

    of = text(f"what changes: {_NODE}")
    subject = text("instead: a subject of the registry")
    version = text("and its version; the latest by default")
    field = text("the field that changes; all of it by default")
    change = serializers.ChoiceField(
        choices=CHANGES, required=False, allow_blank=True, help_text="how it changes"
    )
    schema = serializers.CharField(
        required=False,
        allow_blank=True,
        help_text="a candidate schema: its differences are the change",
    )
    format = serializers.ChoiceField(
        choices=NAMES, required=False, allow_blank=True, help_text="the candidate's format"
    )
    as_of = instant()
    cluster = text("name of the cluster; all by default")


class ContactSerializer(serializers.Serializer[Any]):
    """Whom to ask, as the catalog has it; empty where it names nobody."""

    owner = serializers.CharField()
    service = serializers.CharField()
    context = serializers.CharField()  # type: ignore[assignment]  # likewise


class AffectedSerializer(serializers.Serializer[Any]):
    """A thing that the change reaches."""

    node = NodeSerializer()
    distance = serializers.IntegerField(help_text="edges from what changes")
    certainty = serializers.ChoiceField(choices=REACHED)
    confidence = serializers.FloatField()
    fields = serializers.ListField(child=serializers.CharField())  # type: ignore[assignment]  # likewise
    effect = serializers.CharField()
    via = NodeSerializer()
    because = serializers.CharField()
    evidence = EvidenceSerializer(many=True)
    contact = ContactSerializer()

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Flatten what is reached and what becomes of it into one object."""
        reached = instance.reached
        return super().to_representation({
            "node": reached.node,
            "distance": reached.distance,
            "certainty": reached.certainty,
            "confidence": reached.confidence,
            "fields": list(reached.fields),
            "effect": instance.effect,
            "via": reached.via,
            "because": reached.because,
            "evidence": [proof for edge in reached.edges for proof in edge.evidence],
            "contact": instance.contact,
        })


class WriterOfSerializer(serializers.Serializer[Any]):
    """Who writes what would be changed."""

    node = NodeSerializer()
    contact = ContactSerializer()


class AskSerializer(serializers.Serializer[Any]):
    """An owner to ask, about what; the empty one: the catalog names nobody."""

    owner = serializers.CharField()
    about = serializers.ListField(child=serializers.CharField())


class PartSerializer(serializers.Serializer[Any]):
    """One property of a field that differs."""

    name = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()


class FieldChangeSerializer(serializers.Serializer[Any]):
    """One field that differs."""

    sign = serializers.ChoiceField(choices=("added", "removed", "changed"))
    path = serializers.CharField()
    parts = PartSerializer(many=True)


class SchemaVerdictSerializer(serializers.Serializer[Any]):
    """What the registry says of a candidate schema."""

    subject = serializers.CharField()
    version = serializers.IntegerField(allow_null=True, help_text="the version in force")
    level = serializers.CharField()
    compatible = serializers.BooleanField()
    messages = serializers.ListField(child=serializers.CharField())
    changes = FieldChangeSerializer(many=True)


class CountsSerializer(serializers.Serializer[Any]):
    """How many of each kind are reached."""

    services = serializers.IntegerField()
    actors = serializers.IntegerField()
    topics = serializers.IntegerField()
    copies = serializers.IntegerField()
    fields = serializers.IntegerField()  # type: ignore[assignment]  # likewise
    contexts = serializers.IntegerField()


class ImpactSerializer(serializers.Serializer[Any]):
    """Everything that a change reaches, nearest first, and whom to ask."""

    of = NodeSerializer(source="starts", many=True)
    change = serializers.ChoiceField(choices=CHANGES)
    fields = serializers.ListField(  # type: ignore[assignment]  # likewise
        child=serializers.CharField(), help_text="the fields that change; empty: all of it"
    )
    counts = CountsSerializer()
    contexts = serializers.ListField(child=serializers.CharField())
    affected = AffectedSerializer(many=True)
    writers = WriterOfSerializer(many=True)
    asks = AskSerializer(many=True)
    verdict = SchemaVerdictSerializer(allow_null=True)


class ClaimSerializer(serializers.ModelSerializer[Claim]):
    """Somebody said that an actor is a service; when, and why it no longer stands, if so."""

    service = serializers.CharField(source="service.name")
    patterns = serializers.ListField(
        child=serializers.CharField(), help_text="what stands in the service's `recognised_by`"
    )

    class Meta:
        model = Claim
        fields = [
            "id",
            "kind",
            "name",
            "service",
            "patterns",
            "claimed_by",
            "claimed_at",
            "end",
            "ended_by",
            "ended_at",
        ]


class NewClaimSerializer(serializers.Serializer[Any]):
    """An actor to be claimed, for which service, and by whom."""

    kind = serializers.ChoiceField(
        choices=tuple(PATTERN_KEYS), help_text="what the actor's name is, as `known_by` says"
    )
    name = serializers.CharField(min_length=1, max_length=500, trim_whitespace=False)
    service = serializers.CharField(min_length=1, max_length=200, trim_whitespace=False)
    by = serializers.CharField(
        max_length=200, required=False, allow_blank=True, help_text="who claims it"
    )


class ClaimQuery(serializers.Serializer[Any]):
    """Which claims."""

    ended = serializers.BooleanField(
        required=False, default=False, help_text="also those that no longer stand"
    )


class ActorNameSerializer(serializers.Serializer[Any]):
    """A name that Kafka has for an actor."""

    cluster = serializers.CharField()
    kind = serializers.CharField()
    name = serializers.CharField()
    first_seen = serializers.DateTimeField()
    last_seen = serializers.DateTimeField()


class ActorSerializer(serializers.Serializer[Any]):
    """An actor by one of its names; `node` is a service once a pattern recognises it."""

    kind = serializers.CharField()
    name = serializers.CharField()
    node = NodeSerializer()
    names = ActorNameSerializer(many=True)
    writes = EdgeSerializer(many=True)
    reads = EdgeSerializer(many=True)
    claims = ClaimSerializer(many=True)
    first_seen = serializers.DateTimeField()
    last_seen = serializers.DateTimeField()


class ActorQuery(serializers.Serializer[Any]):
    """Which actor, by one of its names."""

    kind = serializers.CharField(help_text="what the name is: group, transactional_id, …")
    name = named("the actor's name")
    as_of = instant()
