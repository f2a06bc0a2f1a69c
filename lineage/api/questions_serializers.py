"""The shapes of the questions to lineage: what may be asked, and what is answered."""

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

from lineage.actions import VERDICTS
from lineage.api.serializers import (
    EdgeSerializer,
    InstantField,
    NodeSerializer,
    choice,
    instant_filter,
    named,
    text_filter,
)
from lineage.graph import CHANGES, ORPHAN_STATES, PROJECTIONS
from lineage.graph.diff import STATES

_CLUSTER = "name of the cluster; all by default"
_A_YEAR = 366 * 86_400


class ScopeQuery(serializers.Serializer[object]):
    """Which edges a question is asked of."""

    as_of = instant_filter()
    cluster = text_filter(_CLUSTER)
    active = serializers.BooleanField(
        required=False,
        allow_null=True,
        default=None,
        help_text="true: only edges seen now; false: only stale ones; both by default",
    )
    declared = serializers.BooleanField(
        required=False, default=True, help_text="false leaves out edges that are merely claimed"
    )
    internal = serializers.BooleanField(
        required=False,
        default=False,
        help_text="true shows repartition and changelog topics that one service keeps for itself",
    )


class TraceQuery(ScopeQuery):
    """Of which node, how far, among what."""

    node = named("name, or kind:name; topics before others")
    depth = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=1,
        max_value=1000,
        help_text="hops of what is shown; any distance by default",
    )
    projection = choice(
        PROJECTIONS, help_text="show, and count hops among, all things or topics or services only"
    )
    cap = serializers.IntegerField(
        required=False,
        default=500,
        min_value=1,
        max_value=5000,
        help_text="most nodes answered; the rest is counted in `hidden`",
    )


class PathQuery(ScopeQuery):
    """From what to what."""

    source = named()  # type: ignore[assignment]  # a field named as an attribute of Field
    target = named()


class DiffQuery(serializers.Serializer[object]):
    """From when to when."""

    since = InstantField(help_text="ISO 8601 instant to compare with")
    as_of = instant_filter()
    cluster = text_filter(_CLUSTER)
    kind = choice(CHANGES, help_text="kind of change")
    declared = serializers.BooleanField(required=False, default=True)
    internal = serializers.BooleanField(required=False, default=False)


class PageQuery(serializers.Serializer[object]):
    """Which page of the changes of edges."""

    limit = serializers.IntegerField(required=False, min_value=1, help_text="changes a page")
    offset = serializers.IntegerField(required=False, min_value=0, help_text="changes before it")


class OrphanQuery(serializers.Serializer[object]):
    """Which orphans."""

    as_of = instant_filter()
    cluster = text_filter(_CLUSTER)
    state = choice(ORPHAN_STATES, help_text="what the topic lacks")
    idle = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=_A_YEAR,
        help_text="seconds without a sighting until somebody counts as gone; by default until the "
        "evidence is no longer fresh (a minute for presence, ten for movement)",
    )
    internal = serializers.BooleanField(required=False, default=False)


class DeclaredQuery(serializers.Serializer[object]):
    """Which topics."""

    as_of = instant_filter()
    cluster = text_filter(_CLUSTER)
    context = text_filter("name of the bounded context that owns the topic")  # type: ignore[assignment]  # likewise
    topic = text_filter("name of the topic")
    verdict = choice(VERDICTS, help_text="whether its single writer holds")


class FootprintQuery(ScopeQuery):
    """Of whom."""

    service = named("name of a service, or kind:name of any actor")


class ReachedSerializer(serializers.Serializer[object]):
    """A node and its distance in hops."""

    node = NodeSerializer()
    distance = serializers.IntegerField()


class LinkSerializer(serializers.Serializer[object]):
    """A hop of a projection, over `via`."""

    source = NodeSerializer()  # type: ignore[assignment]  # likewise
    target = NodeSerializer()
    via = NodeSerializer(many=True)
    confidence = serializers.FloatField()
    active = serializers.BooleanField()
    first_seen = serializers.DateTimeField()
    last_seen = serializers.DateTimeField()


class TraceSerializer(serializers.Serializer[object]):
    """What lies up or down the stream, nearest first."""

    focus = NodeSerializer()
    nodes = ReachedSerializer(many=True)
    edges = EdgeSerializer(many=True, help_text="between the nodes; none in a projection")
    links = LinkSerializer(many=True, help_text="hops of a projection; none among things")
    hidden = serializers.IntegerField(help_text="nodes within the depth that the cap left out")
    beyond = serializers.IntegerField(help_text="nodes in reach that lie deeper")
    returns = serializers.BooleanField(help_text="data of the focus comes back to it")


class StepSerializer(serializers.Serializer[object]):
    """What one service does on the way."""

    node = NodeSerializer()
    read = EdgeSerializer(allow_null=True)
    written = EdgeSerializer(allow_null=True)
    text = serializers.CharField()


class PathSerializer(serializers.Serializer[object]):
    """The shortest story."""

    source = NodeSerializer()  # type: ignore[assignment]  # likewise
    target = NodeSerializer()
    found = serializers.BooleanField()
    text = serializers.CharField(help_text="the story in one line, or that there is none")
    hops = serializers.IntegerField()
    nodes = NodeSerializer(many=True)
    steps = StepSerializer(many=True)
    alternatives = serializers.IntegerField(help_text="other ways that are as short")
    reverse = serializers.BooleanField(help_text="there is no way but the other way round")
    active = serializers.BooleanField()
    confidence = serializers.FloatField(help_text="that each edge of it is real")


class ChangeSerializer(serializers.Serializer[object]):
    """One edge that is not what it was."""

    kind = serializers.ChoiceField(choices=CHANGES)
    edge = EdgeSerializer()
    before = serializers.ChoiceField(choices=STATES)
    after = serializers.ChoiceField(choices=STATES)
    evidence_before = serializers.SerializerMethodField()
    evidence_after = serializers.SerializerMethodField()
    at = serializers.DateTimeField()
    cause = serializers.CharField()

    def get_evidence_before(self, change: Any) -> list[str]:
        """Return the kinds of evidence that were fresh."""
        return _sorted(change.kinds_before)

    def get_evidence_after(self, change: Any) -> list[str]:
        """Return the kinds of evidence that are fresh."""
        return _sorted(change.kinds_after)


def _sorted(kinds: Iterable[str]) -> list[str]:
    return sorted(kinds)


class NodeChangeSerializer(serializers.Serializer[object]):
    """A node that has active edges at one of the instants only."""

    kind = serializers.ChoiceField(choices=["appeared", "gone"])
    node = NodeSerializer()
    at = serializers.DateTimeField()
    cause = serializers.CharField()


class WholeDiffSerializer(serializers.Serializer[object]):
    """All changes at once, for those who do not page."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    nodes = NodeChangeSerializer(many=True)
    edges = ChangeSerializer(many=True)


class DiffSerializer(serializers.Serializer[object]):
    """A page of the changes of edges, newest first, and all changes of nodes."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    nodes = NodeChangeSerializer(many=True)
    count = serializers.IntegerField(help_text="changes of edges, on all pages")
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = ChangeSerializer(many=True)


class OrphanSerializer(serializers.Serializer[object]):
    """A topic that lacks readers or writers."""

    cluster = serializers.CharField()
    topic = NodeSerializer(source="orphan.topic")
    state = serializers.ChoiceField(choices=ORPHAN_STATES, source="orphan.state")
    writers = NodeSerializer(many=True, source="orphan.writers")
    readers = NodeSerializer(many=True, source="orphan.readers")
    written_at = serializers.DateTimeField(source="orphan.written_at", allow_null=True)
    read_at = serializers.DateTimeField(source="orphan.read_at", allow_null=True)
    records = serializers.IntegerField(
        allow_null=True,
        help_text="that it holds now, null with `as_of`: one that holds some was written, even if "
        "no writer was ever seen, by a producer without an id or before it was watched",
    )


class DeclaredSerializer(serializers.Serializer[object]):
    """One topic: declared against observed."""

    cluster = serializers.CharField()
    topic = serializers.CharField()
    context = serializers.CharField(allow_null=True)  # type: ignore[assignment]  # likewise
    declared = serializers.CharField(allow_null=True, help_text="the declared single writer")
    observed = serializers.ListField(child=serializers.CharField(), help_text="who writes it now")
    earlier = serializers.ListField(
        child=serializers.CharField(), help_text="who wrote it and stopped"
    )
    undeclared = serializers.ListField(
        child=serializers.CharField(), help_text="observed, now or earlier, and not declared"
    )
    unrecognised = serializers.ListField(
        child=serializers.CharField(), help_text="observed actors that are no known service"
    )
    unobserved = serializers.BooleanField(help_text="a writer is declared and was never seen")
    seen = serializers.DateTimeField(allow_null=True, help_text="when the declared one wrote last")
    verdict = serializers.ChoiceField(choices=VERDICTS)
    reasons = serializers.ListField(child=serializers.CharField())


class CouplingSerializer(serializers.Serializer[object]):
    """Data that flows from one bounded context into another."""

    source = serializers.CharField(help_text="a context; empty: of no context")  # type: ignore[assignment]  # likewise
    target = serializers.CharField()
    topics = serializers.ListField(child=serializers.CharField())
    writers = serializers.ListField(child=serializers.CharField(), help_text="kind:name")
    readers = serializers.ListField(child=serializers.CharField(), help_text="kind:name")
    flows = serializers.IntegerField(help_text="triples of writer, topic, reader")
    cyclic = serializers.BooleanField(help_text="the target feeds the source too")


class CycleSerializer(serializers.Serializer[object]):
    """A way round: from each node to the next, and from the last to the first."""

    kind = serializers.ChoiceField(choices=["own", "loop"])
    nodes = NodeSerializer(many=True)
    edges = EdgeSerializer(many=True)
    members = NodeSerializer(many=True, help_text="all that lie on this or another way round")
    active = serializers.BooleanField()


class NameSerializer(serializers.Serializer[object]):
    """A name under which Kafka knows somebody."""

    kind = serializers.CharField()
    name = serializers.CharField()
    first_seen = serializers.DateTimeField()
    last_seen = serializers.DateTimeField()


class FootprintSerializer(serializers.Serializer[object]):
    """All that a service leaves behind in Kafka."""

    node = NodeSerializer()
    reads = EdgeSerializer(many=True)
    writes = EdgeSerializer(many=True)
    groups = serializers.SerializerMethodField()
    transactional_ids = serializers.SerializerMethodField()
    client_ids = serializers.SerializerMethodField()
    hosts = serializers.SerializerMethodField()
    names = NameSerializer(many=True, help_text="every name of any kind, with its times")
    copies = NodeSerializer(many=True, help_text="kept of the topics it writes")
    fed_by = serializers.ListField(child=serializers.CharField(), help_text="other contexts")
    feeds = serializers.ListField(child=serializers.CharField(), help_text="other contexts")
    since = serializers.DateTimeField(allow_null=True)
    last_seen = serializers.DateTimeField(allow_null=True)
    active = serializers.BooleanField()

    def get_groups(self, found: Any) -> list[str]:
        """Return its consumer groups, the newest first."""
        return list(found.known_as("group"))

    def get_transactional_ids(self, found: Any) -> list[str]:
        """Return its transactional ids."""
        return list(found.known_as("transactional_id"))

    def get_client_ids(self, found: Any) -> list[str]:
        """Return its client ids."""
        return list(found.known_as("client_id"))

    def get_hosts(self, found: Any) -> list[str]:
        """Return the hosts its members came from."""
        return list(found.known_as("host"))
