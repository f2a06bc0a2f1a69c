"""Contexts, and what the server says of itself: /, /contexts, /v1/metadata."""

from importlib.metadata import version

from registry.actions import context as contexts
from registry.api.boundary import Call
from registry.api.paging import page
from registry.api.shapes import Json
from registry.naming import read_context

# the release of Confluent's contract that this follows; clients compare it, see get_version
CONTRACT = "8.1.0"


def list_contexts(call: Call) -> list[str]:
    """GET /contexts."""
    return page(call, contexts.list_contexts(call.text("contextPrefix").strip(":")))


def delete_context(_call: Call, context: str) -> None:
    """DELETE /contexts/{c}."""
    contexts.delete_context(read_context(context))


def get_id(_call: Call) -> Json:
    """GET /v1/metadata/id."""
    clusters = {"kafka-cluster": "insideout", "schema-registry-cluster": "schema-registry"}
    return {"scope": {"path": [], "clusters": clusters}, "id": ""}


def get_version(_call: Call) -> Json:
    """GET /v1/metadata/version."""
    return {"version": CONTRACT, "commitId": f"insideout-{version('insideout')}"}


def get_deployment(_call: Call) -> Json:
    """GET /v1/metadata/deployment."""
    return {"attributes": {"deployment": "self-managed", "server": "insideout"}}
