"""The published schema as the official Python client carries it: its classes are generated from it.

`python -m tests.lineage.openlineage.published` renews `lineage/openlineage/spec/openlineage.json`.
"""

import enum
import types
import typing
from pathlib import Path
from typing import Any

import attr
import orjson
from openlineage.client import event_v2, facet_v2
from openlineage.client.generated import base

FILE = Path(__file__).parents[3] / "lineage/openlineage/spec/openlineage.json"
_FORMATS = {
    "eventTime": "date-time",
    "nominalStartTime": "date-time",
    "nominalEndTime": "date-time",
    "runId": "uuid",
    "producer": "uri",
    "schemaURL": "uri",
    "_producer": "uri",
    "_schemaURL": "uri",
    "uri": "uri",
}
_BASE = ("_producer", "_schemaURL")
_ALWAYS = ("producer", "schemaURL", "_producer", "_schemaURL")
# where a facet stands, and under which key: https://openlineage.io/docs/spec/facets/
FACETS: dict[str, dict[str, type]] = {
    "Run": {
        "errorMessage": facet_v2.error_message_run.ErrorMessageRunFacet,
        "externalQuery": facet_v2.external_query_run.ExternalQueryRunFacet,
        "extractionError": facet_v2.extraction_error_run.ExtractionErrorRunFacet,
        "nominalTime": facet_v2.nominal_time_run.NominalTimeRunFacet,
        "parent": facet_v2.parent_run.ParentRunFacet,
        "processing_engine": facet_v2.processing_engine_run.ProcessingEngineRunFacet,
        "tags": facet_v2.tags_run.TagsRunFacet,
    },
    "Job": {
        "documentation": facet_v2.documentation_job.DocumentationJobFacet,
        "jobType": facet_v2.job_type_job.JobTypeJobFacet,
        "ownership": facet_v2.ownership_job.OwnershipJobFacet,
        "sourceCode": facet_v2.source_code_job.SourceCodeJobFacet,
        "sourceCodeLocation": facet_v2.source_code_location_job.SourceCodeLocationJobFacet,
        "sql": facet_v2.sql_job.SQLJobFacet,
        "tags": facet_v2.tags_job.TagsJobFacet,
    },
    "Dataset": {
        "columnLineage": facet_v2.column_lineage_dataset.ColumnLineageDatasetFacet,
        "dataSource": facet_v2.datasource_dataset.DatasourceDatasetFacet,
        "datasetType": facet_v2.dataset_type_dataset.DatasetTypeDatasetFacet,
        "documentation": facet_v2.documentation_dataset.DocumentationDatasetFacet,
        "lifecycleStateChange": (
            facet_v2.lifecycle_state_change_dataset.LifecycleStateChangeDatasetFacet
        ),
        "ownership": facet_v2.ownership_dataset.OwnershipDatasetFacet,
        "schema": facet_v2.schema_dataset.SchemaDatasetFacet,
        "storage": facet_v2.storage_dataset.StorageDatasetFacet,
        "symlinks": facet_v2.symlinks_dataset.SymlinksDatasetFacet,
        "tags": facet_v2.tags_dataset.TagsDatasetFacet,
        "version": facet_v2.dataset_version_dataset.DatasetVersionDatasetFacet,
    },
    "InputDataset": {
        "inputStatistics": (
            facet_v2.input_statistics_input_dataset.InputStatisticsInputDatasetFacet
        ),
    },
    "OutputDataset": {
        "outputStatistics": (
            facet_v2.output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet
        ),
    },
}
# facets that nobody knows may be deleted where these stand
_OTHERS: dict[str, type] = {"Dataset": base.DatasetFacet, "Job": base.JobFacet}
_FACET_MAPS = {"facets": "", "inputFacets": "InputDataset", "outputFacets": "OutputDataset"}
_HOLDERS = {"StaticDataset": "Dataset", "InputDataset": "Dataset", "OutputDataset": "Dataset"}


class _Definitions:
    def __init__(self) -> None:
        self.made: dict[str, dict[str, Any]] = {}

    def reference(self, kind: type) -> dict[str, str]:
        name = kind.__name__
        if kind.__module__ != base.__name__:
            # several modules have an Owner, a Job, a Run of their own
            name = f"{kind.__module__.rpartition('.')[2]}.{name}"
        if name not in self.made:
            self.made[name] = {}
            self.made[name].update(self._object(kind))
        return {"$ref": f"#/$defs/{name}"}

    def _object(self, kind: type) -> dict[str, Any]:
        attr.resolve_types(kind)
        properties: dict[str, Any] = {}
        required = []
        for field in attr.fields(kind):
            if field.name == "_deleted":
                properties[field.name] = {"type": "boolean"}
                continue
            properties[field.name] = self._property(kind, field)
            if field.default is attr.NOTHING or field.name in _ALWAYS:
                required.append(field.name)
        found: dict[str, Any] = {"type": "object", "properties": properties}
        if required:
            found["required"] = required
        if "_deleted" in properties and properties.keys() > {*_BASE, "_deleted"}:
            # who deletes a facet says no more: https://openlineage.io/docs/spec/facets
            deleted = {"properties": {"_deleted": {"const": True}}, "required": ["_deleted"]}
            rest = {"properties": properties, "required": required}
            base = {"type": "object", "required": list(_BASE)}
            return {**base, "if": deleted, "else": rest}
        return found

    def _property(self, kind: type, field: Any) -> dict[str, Any]:
        if field.name in _FACET_MAPS and kind.__module__ == base.__name__:
            place = _FACET_MAPS[field.name] or _HOLDERS.get(kind.__name__, kind.__name__)
            return {
                "type": "object",
                "properties": {
                    key: self.reference(one) for key, one in FACETS.get(place, {}).items()
                },
                "additionalProperties": self.reference(_OTHERS.get(place, base.BaseFacet)),
            }
        found = self._type(field.type)
        if field.name in _FORMATS and found == {"type": "string"}:
            found["format"] = _FORMATS[field.name]
        return found

    def _type(self, kind: Any) -> dict[str, Any]:
        origin, arguments = typing.get_origin(kind), typing.get_args(kind)
        if origin in {typing.Union, types.UnionType}:
            (one,) = [argument for argument in arguments if argument is not type(None)][:1]
            return self._type(one)
        if origin is list:
            return {"type": "array", "items": self._type(arguments[0])}
        if origin is dict:
            return {"type": "object", "additionalProperties": self._type(arguments[1])}
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            return {"type": "string", "enum": [one.value for one in kind]}
        if attr.has(kind):
            return self.reference(kind)
        simple = {str: "string", int: "integer", float: "number", bool: "boolean"}
        return {"type": simple[kind]} if kind in simple else {}


def published() -> dict[str, Any]:
    """The schema of an event: one of three, each with the facets that have a schema."""
    definitions = _Definitions()
    run, job, dataset = (
        definitions.reference(kind)
        for kind in (event_v2.RunEvent, base.JobEvent, base.DatasetEvent)
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": (
            "OpenLineage 2-0-2. Made from the classes of openlineage-python "
            "(Apache-2.0, contributors to the OpenLineage project), which are made from the "
            "published schemas; see tests/lineage/openlineage/published.py."
        ),
        "oneOf": [
            run,
            {**job, "not": {"required": ["run"]}},
            {**dataset, "not": {"required": ["job", "run"]}},
        ],
        "$defs": dict(sorted(definitions.made.items())),
    }


def rendered() -> bytes:
    return orjson.dumps(published(), option=orjson.OPT_INDENT_2) + b"\n"


if __name__ == "__main__":
    FILE.write_bytes(rendered())
