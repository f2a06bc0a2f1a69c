"""The sentence that a message says about a change: what differs, where, between which schemas.

A message of the other direction swaps "old schema" and "new schema", so both are always named so.
"""

import re

_SPECIAL = {
    "SCHEMA_ADDED": "There is a schema at path {} in the new schema and none in the old schema",
    "SCHEMA_REMOVED": "There is a schema at path {} in the old schema and none in the new schema",
    "TYPE_CHANGED": "The type at path {} in the new schema is not the type in the old schema",
    "TYPE_EXTENDED": "The type at path {} in the new schema is wider than in the old schema",
    "TYPE_NARROWED": "The type at path {} in the new schema is narrower than in the old schema",
    "COMBINED_TYPE_CHANGED": (
        "The combinator at path {} in the new schema is not the one in the old schema"
    ),
    "COMBINED_TYPE_EXTENDED": (
        "The combinator at path {} in the new schema accepts more than the one in the old schema"
    ),
    "COMBINED_TYPE_SUBSCHEMAS_CHANGED": (
        "The sub-schemas of the combinator at path {} in the new schema do not accept what those"
        " in the old schema do"
    ),
    "PRODUCT_TYPE_EXTENDED": (
        "The allOf at path {} in the new schema has more sub-schemas than in the old schema"
    ),
    "PRODUCT_TYPE_NARROWED": (
        "The allOf at path {} in the new schema has fewer sub-schemas than in the old schema"
    ),
    "SUM_TYPE_EXTENDED": (
        "The anyOf or oneOf at path {} in the new schema has more sub-schemas than in the old"
        " schema"
    ),
    "SUM_TYPE_NARROWED": (
        "The anyOf or oneOf at path {} in the new schema has fewer sub-schemas than in the old"
        " schema"
    ),
    "NOT_TYPE_EXTENDED": "The not at path {} in the new schema forbids more than in the old schema",
    "NOT_TYPE_NARROWED": "The not at path {} in the new schema forbids less than in the old schema",
    "REQUIRED_ATTRIBUTE_ADDED": (
        "The new schema requires the property at path {}, the old schema does not"
    ),
    "REQUIRED_ATTRIBUTE_WITH_DEFAULT_ADDED": (
        "The new schema requires the property with a default at path {}, the old schema does not"
    ),
    "REQUIRED_ATTRIBUTE_REMOVED": (
        "The old schema requires the property at path {}, the new schema does not"
    ),
    "RESERVED_PROPERTY_REMOVED": "The new schema no longer reserves the property at path {}",
    "RESERVED_PROPERTY_CONFLICTS_WITH_PROPERTY": (
        "The new schema has a reserved property at path {}"
    ),
}
_MODELS = {
    "OPEN": "an open content model",
    "UNOPEN": "a content model that is not open",
    "CLOSED": "a closed content model",
    "PARTIALLY_OPEN": "a partially open content model",
}
_CONTENT = re.compile(
    r"(?P<before>REQUIRED_|OPTIONAL_)?(?P<noun>PROPERTY|ITEM)"
    r"(?P<after>_WITH_DEFAULT|_WITH_EMPTY_SCHEMA|_WITH_FALSE)?_(?P<change>ADDED|REMOVED)"
    r"(?P<how>_IS_COVERED_BY|_NOT_COVERED_BY)?(?:_TO|_FROM)?_"
    r"(?P<model>PARTIALLY_OPEN|OPEN|UNOPEN|CLOSED)_CONTENT_MODEL"
)
_BEFORE = {"REQUIRED_": "required", "OPTIONAL_": "optional"}
_AFTER = {
    "_WITH_DEFAULT": " with a default",
    "_WITH_EMPTY_SCHEMA": " with an empty schema",
    "_WITH_FALSE": " that is never valid",
}
_COVERED = {"_IS_COVERED_BY": ", which covers it", "_NOT_COVERED_BY": ", which does not cover it"}
# What became of the value that a keyword has.
_ENDINGS = {
    "ADDED": "The keyword at path {} in the new schema is not present in the old schema",
    "REMOVED": "The keyword at path {} in the old schema is not present in the new schema",
    "INCREASED": "The value at path {} in the new schema is greater than in the old schema",
    "DECREASED": "The value at path {} in the new schema is less than in the old schema",
    "EXTENDED": "The value at path {} in the new schema is an extension of that in the old schema",
    "EXPANDED": "The value at path {} in the new schema is a multiple of that in the old schema",
    "REDUCED": "The value at path {} in the new schema divides that in the old schema",
    "NARROWED": "The value at path {} in the new schema is narrower than in the old schema",
    "CHANGED": "The value at path {} in the new schema differs from that in the old schema",
}
_ALLOWING = {
    "ADDED": "The new schema allows what the old schema does not at path {}",
    "REMOVED": "The old schema allows what the new schema does not at path {}",
    "EXTENDED": "The new schema allows more than the old schema at path {}",
    "NARROWED": "The new schema allows less than the old schema at path {}",
}


def description(kind: str, path: str) -> str:
    """A change in words, its path in quotes."""
    return _sentence(kind).replace("{}", f"'{path}'")


def _sentence(kind: str) -> str:
    if kind in _SPECIAL:
        return _SPECIAL[kind]
    ending = kind.rpartition("_")[2]
    if ending == "MODEL":
        return _content_model(kind)
    if kind.startswith(("ADDITIONAL_", "UNEVALUATED_")):
        return _ALLOWING[ending]
    return _ENDINGS[ending]


def _content_model(kind: str) -> str:
    found = _CONTENT.fullmatch(kind)
    if found is None:
        raise ValueError(f"not a change of a content model: {kind}")
    here, there = "new schema", "old schema"
    if found["change"] == "REMOVED":
        here, there = there, here
    thing = " ".join(filter(None, (_BEFORE.get(found["before"], ""), found["noun"].lower())))
    article = "an" if thing[0] in "aeiou" else "a"
    thing += _AFTER.get(found["after"], "")
    return (
        f"The {here} has {article} {thing} at path {{}} which is missing in the {there};"
        f" the {there} has {_MODELS[found['model']]}{_COVERED.get(found['how'], '')}"
    )
