"""A definition as a configuration of Debezium's JDBC sink on Kafka Connect. Pure.

What Connect cannot do as declared is a *refusal*: nothing is deployed that would leave out a
column, or show what shall be masked. What it does otherwise is a *difference*, told beside.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lineage.connectors.columns import Plan
from lineage.connectors.definition import DEEPEST, Definition
from lineage.connectors.deployment.jdbc import JdbcTarget
from lineage.connectors.deployment.shaping import Shaping, shaped
from lineage.connectors.keying import RECORD_KEY
from lineage.connectors.shaping import Shaper

SINK = "io.debezium.connector.jdbc.JdbcSinkConnector"
STRING = "org.apache.kafka.connect.storage.StringConverter"
APICURIO = "io.apicurio.registry.utils.converter.AvroConverter"
APICURIO_PATH = "/apis/registry/v2"
"""Where the registry answers the two questions that Apicurio's converter asks."""

NAME_PREFIX = "insideout.connector."
"""Ours among the connectors of a Connect cluster."""

BATCH = 5_000
"""Rows a statement, and records a poll: below the second, the first has no effect."""

CONVERTERS = {
    "AVRO": ("io.confluent.connect.avro.AvroConverter", APICURIO),
    "JSON": ("io.confluent.connect.json.JsonSchemaConverter",),
    "PROTOBUF": ("io.confluent.connect.protobuf.ProtobufConverter",),
}
"""By the format of a schema, the converters that read it; the first one installed is taken."""

_PLACE = ("kafka_topic", "kafka_partition", "kafka_offset")
_TIME = "kafka_timestamp"
_KEY_CASTS = {"integer": "int32", "bigint": "int64"}
_RENDERED = frozenset({
    "name", "topics", "target", "table", "mode", "key", "key_format", "context", "service",
    "cluster", "engine", "columns", "flatten", "start",
})  # fmt: skip

_STANDING = """\
delivery: at least once, offsets in Kafka, no fence; rows are written by key: a replay ends right
no generations: the copy cannot be regenerated beside the live one, swapped or rolled back
no audit and no repair: what is changed in the table by hand stays unnoticed
a deletion that comes before there is a table stops the task, which the watch restarts
a record that the database refuses stops the task, its neighbours in the batch unwritten
only records that cannot be read go to the dead letters, a topic: nothing is in quarantine
a log whose head is gone is copied from where it begins, without a word
a schema may bring new columns; after any other change the task stops, or the column stays as it was
""".splitlines()


@dataclass(frozen=True)
class Shape:
    """What is registered of the topics: formats and columns; None where nothing is."""

    format: str | None = None
    value: Plan | None = None
    key_format: str | None = None
    key: Plan | None = None
    nanoseconds: bool = False


@dataclass(frozen=True)
class Workers:
    """The Connect cluster: its converters (None: not known), and how its workers reach us."""

    registry: str
    secret: str = "${env:{name}}"  # noqa: S105  (a reference)
    converters: frozenset[str] | None = None
    tasks: int = 1


@dataclass
class Rendering:
    """A configuration, what it cannot do, and what it does otherwise than our own engine."""

    config: dict[str, str]
    refusals: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)


def render(
    definition: Definition,
    declared: Mapping[str, Any],
    target: JdbcTarget,
    shape: Shape,
    workers: Workers,
) -> Rendering:
    """Return the configuration of a definition; `declared` is the same as written down."""
    made = Rendering(_sink(definition, workers) | _consumer(definition))
    _connection(made, target, workers)
    _unrendered(made, definition, declared, shape)
    shaping = shaped(
        shape.value,
        definition.columns,
        avro=shape.format == "AVRO",
        keys={*definition.key, RECORD_KEY},
    )
    made.refusals += shaping.refusals
    made.differences += shaping.differences
    _converters(made, definition, shape, workers)
    _transforms(made, definition, shape, shaping)
    made.differences += _STANDING
    return made


def connector_name(name: str) -> str:
    """Return what a copy's connector is called on Connect; its group is `connect-` and that."""
    return NAME_PREFIX + name


def group_of(name: str) -> str:
    """Return the consumer group of a deployed copy."""
    return f"connect-{connector_name(name)}"


# -- the parts ------------------------------------------------------------------------------------
def _sink(definition: Definition, workers: Workers) -> dict[str, str]:
    table = definition.mode == "table"
    return {
        "name": connector_name(definition.name),
        "connector.class": SINK,
        "topics": ",".join(definition.topics),
        "tasks.max": str(workers.tasks),
        "collection.name.format": definition.table,
        "quote.identifiers": "true",
        "schema.evolution": "basic",
        "insert.mode": "upsert",
        "delete.enabled": "true" if table else "false",
        "primary.key.mode": "record_key" if table else "record_value",
        "batch.size": str(BATCH),
        "use.reduction.buffer": "true" if table else "false",
    }


def _consumer(definition: Definition) -> dict[str, str]:
    return {
        "consumer.override.max.poll.records": str(BATCH),
        "consumer.override.auto.offset.reset": "earliest",
        "consumer.override.isolation.level": "read_committed",
        # a topic that was deleted must not come back with somebody's defaults
        "consumer.override.allow.auto.create.topics": "false",
        "errors.tolerance": "all",
        "errors.log.enable": "true",
        "errors.deadletterqueue.topic.name": f"{connector_name(definition.name)}.dead-letters",
        # the broker's own default (KIP-464): a fixed number fails on a smaller cluster
        "errors.deadletterqueue.topic.replication.factor": "-1",
        "errors.deadletterqueue.context.headers.enable": "true",
    }


def _connection(made: Rendering, target: JdbcTarget, workers: Workers) -> None:
    made.config["connection.url"] = target.url
    made.config["connection.username"] = target.username
    if target.secret:
        made.config["connection.password"] = workers.secret.replace("{name}", target.secret)
        made.secrets.append(target.secret)
    made.differences += [
        f"the target's parameter {name} is not handed on to JDBC" for name in target.dropped
    ]


def _unrendered(
    made: Rendering, definition: Definition, declared: Mapping[str, Any], shape: Shape
) -> None:
    """Name what the definition says and this configuration cannot."""
    if definition.mode not in {"table", "events"}:
        made.refusals.append(
            f"mode {definition.mode}: the sink writes the newest row of a key, or a row a record"
        )
    if shape.nanoseconds:
        made.refusals.append("timestamp-nanos: the converters give a plain number")
    extra = {key: value for key, value in declared.items() if key not in _RENDERED and value}
    if definition.flatten < DEEPEST:
        made.refusals.append("flatten: Connect's Flatten takes records apart to the last field")
    if definition.start is not None:
        made.refusals.append("start: the sink begins at the beginning of the log")
    if extra.pop("schedule", None):
        made.differences.append("the schedule is not followed: there is nothing to regenerate")
    made.refusals += [f"{key}: the sink has nothing like it" for key in sorted(extra)]


def _converters(made: Rendering, definition: Definition, shape: Shape, workers: Workers) -> None:
    if shape.format is None:
        made.refusals.append(
            f"no schema is registered for the values of {', '.join(definition.topics)}: "
            "without one a JDBC sink cannot know the columns"
        )
    else:
        _converter(made, "value", shape.format, workers)
    if definition.key_format == "text" or definition.mode == "events":
        made.config["key.converter"] = STRING
    elif shape.key_format is None:
        made.refusals.append("no schema is registered for the keys, as key_format: schema needs")
    else:
        _converter(made, "key", shape.key_format, workers)


def _converter(made: Rendering, side: str, schema_format: str, workers: Workers) -> None:
    candidates = CONVERTERS[schema_format]
    installed = [
        name for name in candidates if workers.converters is None or name in workers.converters
    ]
    if not installed:
        made.refusals.append(
            f"no converter for {schema_format} is installed on Kafka Connect: "
            f"put {' or '.join(candidates)} on its plugin.path"
        )
        return
    prefix = f"{side}.converter"
    made.config[prefix] = installed[0]
    if installed[0] == APICURIO:
        made.config |= {
            f"{prefix}.apicurio.registry.url": workers.registry + APICURIO_PATH,
            f"{prefix}.apicurio.registry.as-confluent": "true",
            f"{prefix}.apicurio.registry.use-id": "contentId",
            f"{prefix}.apicurio.registry.headers.enabled": "false",
        }
    else:
        made.config[f"{prefix}.schema.registry.url"] = workers.registry


def _transforms(made: Rendering, definition: Definition, shape: Shape, shaping: Shaping) -> None:
    steps: dict[str, dict[str, str]] = {}
    if definition.mode == "events":
        steps["events"] = {"type": _apache("Filter"), "predicate": "isTombstone"}
        made.config |= {
            "predicates": "isTombstone",
            "predicates.isTombstone.type": (
                "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone"
            ),
            "primary.key.fields": ",".join(_PLACE),
        }
        made.differences.append("no column kafka_key: the sink puts a key or a value into a row")
        steps |= shaping.steps
        steps["place"] = {
            "type": _apache("InsertField$Value"),
            "topic.field": _PLACE[0],
            "partition.field": _PLACE[1],
            "offset.field": _PLACE[2],
        } | ({} if _TIME in shaping.dropped else {"timestamp.field": _TIME})
    else:
        steps |= _key_steps(made, definition, shape) | shaping.steps
    if steps:
        made.config["transforms"] = ",".join(steps)
    made.config |= {
        f"transforms.{step}.{key}": value
        for step, settings in steps.items()
        for key, value in settings.items()
    }


def _key_steps(made: Rendering, definition: Definition, shape: Shape) -> dict[str, dict[str, str]]:
    """Make a struct of a bare key, which the sink cannot do without (it wants named fields)."""
    bare = definition.key_format == "text"
    if shape.key is not None and not bare:
        bare = [source.path for source in shape.key.columns] == [("",)]
    made.config["primary.key.fields"] = ",".join(definition.key)
    if not bare:
        return {}
    column = definition.key[0] if definition.key else RECORD_KEY
    made.config["primary.key.fields"] = column
    steps = {"key": {"type": _apache("HoistField$Key"), "field": column}}
    source = Shaper(definition).plan(shape.value).find(column) if shape.value else None
    cast = _KEY_CASTS.get(source.column.kind) if source else None
    if cast and definition.key_format == "text":
        steps["keyKind"] = {"type": _apache("Cast$Key"), "spec": f"{column}:{cast}"}
    return steps


def _apache(name: str) -> str:
    return f"org.apache.kafka.connect.transforms.{name}"
