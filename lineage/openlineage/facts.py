"""What our rooms know of topics, services and copies, as facets; read once a round."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from django.db.models import Max

from catalog.models import Cluster, Service, Topic
from lineage.connectors.actions import definition_of, target_url
from lineage.connectors.columns import Plan, SourceColumn, describe
from lineage.connectors.errors import ConnectorError
from lineage.connectors.models import Connector
from lineage.connectors.shaping import Shaper, fields_of
from lineage.connectors.writers import writer_of
from lineage.edges import Node
from lineage.models import FieldFlow
from lineage.openlineage.events import Dataset, Facets, documentation, facet, own_facet, ownership
from lineage.openlineage.naming import Name, kafka_namespace, source_uri, table_name
from lineage.openlineage.receive import EVIDENCE, NODE_FACET
from registry.actions import parsed
from registry.errors import RegistryError
from registry.formats.contract import SchemaInvalidError
from registry.models import Version


class Facts:
    """Everything that is told of one cluster's topics, and of services and copies."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._namespace = kafka_namespace(cluster.bootstrap_servers)
        self._plans: dict[str, Plan | None] = {}

    @cached_property
    def _topics(self) -> dict[str, Topic]:
        rows = Topic.objects.filter(cluster=self.cluster).select_related("context", "writer")
        return {row.name: row for row in rows}

    @cached_property
    def _services(self) -> dict[str, Service]:
        return {row.name: row for row in Service.objects.select_related("context")}

    @cached_property
    def _connectors(self) -> dict[str, Connector]:
        return {row.name: row for row in Connector.objects.filter(cluster=self.cluster)}

    @cached_property
    def _newest(self) -> dict[str, int]:
        """The newest version of each subject of the default context."""
        rows = Version.objects.filter(deleted_at=None, subject__context__name=".")
        newest = rows.order_by().values_list("subject__name").annotate(Max("version"))
        return dict(newest)

    @cached_property
    def _flows(self) -> dict[tuple[str, str], list[FieldFlow]]:
        """Flows between fields that we know of ourselves, by target."""
        found: dict[tuple[str, str], list[FieldFlow]] = {}
        for row in FieldFlow.objects.filter(cluster=self.cluster).exclude(kind=EVIDENCE):
            found.setdefault((row.target_kind, row.target_name), []).append(row)
        return found

    # -- names ----------------------------------------------------------------------------------
    def topic_name(self, topic: str) -> Name:
        """Return what OpenLineage calls a topic."""
        return Name(self._namespace, topic)

    def table_of(self, copy: str) -> Name | None:
        """Return what OpenLineage calls the table of a copy; `None` when its target is unset."""
        connector = self._connectors.get(copy)
        if connector is None:
            return None
        try:
            return table_name(target_url(connector.target), connector.table)
        except ConnectorError:
            return None

    def _name_of(self, kind: str, name: str) -> Name | None:
        if kind == "topic":
            return self.topic_name(name)
        if kind == "copy":
            return self.table_of(name)
        return Name.read(name) if kind == "dataset" else None

    # -- datasets -------------------------------------------------------------------------------
    def topic(self, name: str, *, written: bool = False) -> Dataset:
        """Return a topic with what is known of it; where it is written, its fields' origin too."""
        facets: Facets = {
            "dataSource": facet(
                "DatasourceDatasetFacet",
                name=self.cluster.name,
                uri=source_uri(self.topic_name(name)),
            ),
            **self._described(name),
            **self._schema(name),
        }
        if written:
            facets |= _column_lineage(self._known_fields("topic", name))
        return Dataset(self.topic_name(name), facets)

    def _described(self, name: str) -> Facets:
        row = self._topics.get(name)
        if row is None:
            return {}
        owners = [row.writer.owner] if row.writer else []
        owners += [row.context.owner] if row.context else []
        return {
            **documentation("DocumentationDatasetFacet", row.description),
            **ownership("OwnershipDatasetFacet", owners),
        }

    def _schema(self, topic: str) -> Facets:
        plan = self.plan(topic)
        if plan is None:
            return {}
        fields = [
            {
                "name": ".".join(one.path) or one.column.name,
                "type": describe(one.column),
                "ordinal_position": position,
            }
            for position, one in enumerate(plan.columns, 1)
        ]
        return {"schema": facet("SchemaDatasetFacet", fields=fields)}

    def plan(self, topic: str) -> Plan | None:
        """Return the columns of the newest schema of a topic's values (TopicNameStrategy)."""
        if topic not in self._plans:
            self._plans[topic] = self._read_plan(f"{topic}-value")
        return self._plans[topic]

    def _read_plan(self, subject: str) -> Plan | None:
        version = self._newest.get(subject)
        if version is None:
            return None
        row = Version.objects.filter(
            subject__name=subject, subject__context__name=".", version=version, deleted_at=None
        ).select_related("schema")
        found = row.first()
        try:
            return writer_of(parsed(found.schema.number)).plan if found else None
        except (RegistryError, SchemaInvalidError):
            return None

    def copy(self, name: str) -> list[Dataset]:
        """Return the table of a copy, marked as that copy; nothing when it cannot be named."""
        table = self.table_of(name)
        if table is None:
            return []
        fields = {**self._copied_fields(name), **self._known_fields("copy", name)}
        facets = {
            "dataSource": facet("DatasourceDatasetFacet", name=name, uri=source_uri(table)),
            NODE_FACET: own_facet("NodeFacet", kind="copy", name=name),
            **_column_lineage(fields),
        }
        return [Dataset(table, facets)]

    def table_beside(self, copy: str, table: str) -> list[Dataset]:
        """Return a table that holds the columns of a copy, and is not that copy."""
        own = self._connectors[copy].table
        return [
            Dataset(
                Name(one.name.namespace, one.name.name.removesuffix(own) + table),
                {key: value for key, value in one.facets.items() if key != NODE_FACET},
            )
            for one in self.copy(copy)
        ]

    def _copied_fields(self, copy: str) -> dict[str, list[dict[str, Any]]]:
        """Return where the columns of a table come from: fields of the one topic it folds."""
        connector = self._connectors[copy]
        if connector.mode != "table" or len(connector.topics) != 1:
            return {}
        plan = self.plan(connector.topics[0])
        topic = self.topic_name(connector.topics[0]).as_json()
        return {
            one.column.name: [
                {**topic, "field": field, "transformations": [_transformation(one)]}
                for field in fields_of(one.path, one.uses)
            ]
            for one in (_shaped(connector, plan).columns if plan else ())
            if one.path or one.uses
        }

    def _known_fields(self, kind: str, name: str) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        for row in self._flows.get((kind, name), ()):
            source = self._name_of(row.source_kind, row.source_name)
            if source is not None and row.target_field:
                found.setdefault(row.target_field, []).append({
                    **source.as_json(),
                    "field": row.source_field,
                    "transformations": list(_transformations(row.transformation)),
                })
        return found

    # -- jobs -----------------------------------------------------------------------------------
    def job_facets(self, node: Node) -> Facets:
        """Return what is known of a service, a copy's connector or an actor."""
        kind = {"service": "SERVICE", "copy": "CONNECTOR"}.get(node.kind, "ACTOR")
        facets: Facets = {
            "jobType": facet(
                "JobTypeJobFacet", processingType="STREAMING", integration="KAFKA", jobType=kind
            )
        }
        if node.kind != "service":
            facets[NODE_FACET] = own_facet(
                "NodeFacet", kind=node.known_by or node.kind, name=node.name
            )
        service = self._services.get(node.name) if node.kind == "service" else None
        if service is not None:
            owners = [service.owner, service.context.owner if service.context else ""]
            facets |= documentation("DocumentationJobFacet", service.description)
            facets |= ownership("OwnershipJobFacet", owners)
        return facets

    def signature(self, topics: list[str], node: Node) -> list[Any]:
        """Return what changes when facets do, without making them."""
        rows = [
            (
                name,
                self._newest.get(f"{name}-value"),
                self._described(name),
                len(self._flows.get(("topic", name), ())),
            )
            for name in topics
        ]
        flows = len(self._flows.get((node.kind, node.name), ()))
        return [rows, self.job_facets(node), flows]


def _shaped(connector: Connector, plan: Plan) -> Plan:
    """Return the columns that a copy's definition makes of a schema's."""
    try:
        return Shaper(definition_of(connector)).plan(plan)
    except ConnectorError:
        return plan


def _transformation(one: SourceColumn) -> dict[str, Any]:
    if not one.how:
        return {"type": "DIRECT", "subtype": "IDENTITY"}
    masking = one.how.startswith("masked")
    return {"type": "DIRECT", "subtype": "TRANSFORMATION", "masking": masking}


def _transformations(text: str) -> Iterator[dict[str, str]]:
    for one in text.split(",") if text else ():
        kind, _, subtype = one.partition("/")
        yield {"type": kind, "subtype": subtype} if subtype else {"type": kind}


def _column_lineage(fields: dict[str, list[dict[str, Any]]]) -> Facets:
    if not fields:
        return {}
    told = {name: {"inputFields": sources} for name, sources in sorted(fields.items())}
    return {"columnLineage": facet("ColumnLineageDatasetFacet", fields=told)}
