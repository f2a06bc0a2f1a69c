"""What each kind of change does to what it reaches, in a sentence. Pure."""

from typing import Literal

from lineage.edges import Node

Change = Literal["drop", "type", "rename", "optional", "required", "add", "alter"]
CHANGES: tuple[Change, ...] = ("drop", "type", "rename", "optional", "required", "add", "alter")

_OF_TOPIC = {
    "reader": "has nothing more to read there",
    "copy": "gets no more rows, and cannot be regenerated",
    "view": "is no longer fed from there",
}
_OF_FIELD: dict[str, dict[str, str]] = {
    "drop": {
        "reader": "fails, or takes a default, where it uses the field",
        "copy": "keeps the column without new values",
        "view": "loses what it took from the field",
    },
    "rename": {
        "reader": "no longer finds the field under its name",
        "copy": "keeps the old column without new values, and gets a new one",
        "view": "loses what it took from the field, until its service knows the new name",
    },
    "type": {
        "reader": "cannot read the field where the types do not fit",
        "copy": "stops when its column would have to become another: regenerate it",
        "view": "may have to change the type of its field",
    },
    "optional": {
        "reader": "may find no value where there always was one",
        "copy": "may get empty values in the column",
        "view": "may get empty values in its field",
    },
    "required": {
        "reader": "finds a value always; a writer that leaves it out is refused",
        "copy": "gets a value always",
        "view": "gets a value always",
    },
    "add": {
        "reader": "sees a field that it need not know",
        "copy": "gets a column more",
        "view": "is as it was",
    },
    "alter": {
        "reader": "may read the field otherwise than before",
        "copy": "may get other values in the column",
        "view": "may get other values in its field",
    },
}


def effect(change: str, node: Node, *, of_field: bool) -> str:
    """Say what a change of a topic, or of one of its fields, does to a thing that it reaches."""
    role = {"copy": "copy", "topic": "view"}.get(node.kind, "reader")
    if not of_field and change == "drop":
        return _OF_TOPIC[role]
    return _OF_FIELD.get(change, _OF_FIELD["alter"])[role]
