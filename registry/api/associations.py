"""/associations: which subject holds the schemas of a resource (a topic, say)."""

from registry.api.boundary import Call
from registry.errors import AssociationNotFoundError


def list_by_name(_call: Call, namespace: str, name: str, context: str = "") -> None:  # noqa: ARG001
    """GET /associations/resources/{namespace}/{name}; clients take 404 for "use the topic name"."""
    raise AssociationNotFoundError(name)
