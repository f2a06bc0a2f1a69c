"""Events as OpenLineage 2-0-2 has them, made of plain dictionaries. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from lineage.openlineage.naming import Name

State = Literal["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"]
Facets = dict[str, dict[str, Any]]

PRODUCER = "urn:insideout:openlineage"
_SPEC = "https://openlineage.io/spec"
_RUN_EVENT = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"
_VERSIONS = {
    "ColumnLineageDatasetFacet": "1-2-0",
    "DatasourceDatasetFacet": "1-0-1",
    "DocumentationDatasetFacet": "1-1-0",
    "DocumentationJobFacet": "1-1-0",
    "ErrorMessageRunFacet": "1-0-1",
    "JobTypeJobFacet": "2-0-4",
    "OutputStatisticsOutputDatasetFacet": "1-0-2",
    "OwnershipDatasetFacet": "1-0-1",
    "OwnershipJobFacet": "1-0-1",
    "ProcessingEngineRunFacet": "1-1-1",
    "SchemaDatasetFacet": "1-2-0",
}


@dataclass(frozen=True)
class Dataset:
    """A dataset with its facets; `output_facets` tell of the writing alone."""

    name: Name
    facets: Facets = field(default_factory=dict)
    output_facets: Facets = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """A job with its facets."""

    name: Name
    facets: Facets = field(default_factory=dict)


def facet(kind: str, /, **values: Any) -> dict[str, Any]:
    """Return a facet of a published kind (`SchemaDatasetFacet`)."""
    url = f"{_SPEC}/facets/{_VERSIONS[kind]}/{kind}.json#/$defs/{kind}"
    return {"_producer": PRODUCER, "_schemaURL": url, **values}


def own_facet(kind: str, /, **values: Any) -> dict[str, Any]:
    """Return a facet of a kind of our own; docs/openlineage.md describes them."""
    return {"_producer": PRODUCER, "_schemaURL": f"urn:insideout:openlineage:{kind}:1", **values}


def run_event(
    state: State,
    at: datetime,
    run: UUID,
    job: Job,
    datasets: tuple[Sequence[Dataset], Sequence[Dataset]],
    run_facets: Mapping[str, Any],
) -> dict[str, Any]:
    """Return a RunEvent; `datasets` are its inputs and its outputs."""
    inputs, outputs = datasets
    return {
        "eventType": state,
        "eventTime": at.astimezone(UTC).isoformat(),
        "run": {"runId": str(run), "facets": dict(run_facets)},
        "job": {**job.name.as_json(), "facets": job.facets},
        "inputs": [{**it.name.as_json(), "facets": it.facets} for it in _ordered(inputs)],
        "outputs": [
            {**it.name.as_json(), "facets": it.facets, "outputFacets": it.output_facets}
            for it in _ordered(outputs)
        ],
        "producer": PRODUCER,
        "schemaURL": _RUN_EVENT,
    }


def _ordered(datasets: Iterable[Dataset]) -> list[Dataset]:
    return sorted(datasets, key=lambda it: it.name)


def ownership(kind: str, owners: Iterable[str]) -> Facets:
    """Return the facet `ownership` of a job or dataset (`kind`), or nothing."""
    told = [{"name": owner} for owner in dict.fromkeys(owners) if owner]
    return {"ownership": facet(kind, owners=told)} if told else {}


def documentation(kind: str, text: str) -> Facets:
    """Return the facet `documentation` of a job or dataset (`kind`), or nothing."""
    return {"documentation": facet(kind, description=text)} if text else {}
