"""Metadata and rule sets of a schema: their shape, and how defaults and overrides merge. Pure.

Values are plain dicts in Confluent's JSON shape. Nothing is ever executed here: clients run rules.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from registry.errors import RuleSetInvalidError

Values = dict[str, Any]

VERSION = "confluent:version"
"""The metadata property that names the version which a schema is, or is to become."""
RESERVED = "confluent:reserved"
"""The metadata property that lists, comma-separated, names which no field may have."""

RULE_LISTS = ("migrationRules", "domainRules", "encodingRules")
_MODES = {
    "migrationRules": {"UPGRADE", "DOWNGRADE", "UPDOWN"},
    "domainRules": {"WRITE", "READ", "WRITEREAD"},
    "encodingRules": {"WRITE", "READ", "WRITEREAD"},
}
_KINDS = {"TRANSFORM", "CONDITION"}
_TEXTS = ("name", "doc", "kind", "mode", "type", "expr", "onSuccess", "onFailure")


def _refuse(message: str) -> RuleSetInvalidError:
    return RuleSetInvalidError(f"Invalid rule set: {message}")


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def read_metadata(value: Any) -> Values | None:
    """Check `{tags: {path: [tag]}, properties: {key: value}, sensitive: [key]}`; None if absent."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise _refuse("metadata is an object")
    found: Values = {}
    tags, properties = value.get("tags"), value.get("properties")
    sensitive = value.get("sensitive")
    if tags is not None:
        if not isinstance(tags, dict) or not all(_is_texts(each) for each in tags.values()):
            raise _refuse("metadata.tags maps paths to lists of tags")
        found["tags"] = {path: sorted(set(names)) for path, names in sorted(tags.items())}
    if properties is not None:
        if not isinstance(properties, dict):
            raise _refuse("metadata.properties maps names to values")
        found["properties"] = {
            key: _scalar(each) for key, each in sorted(properties.items()) if each is not None
        }
    if sensitive is not None:
        if not _is_texts(sensitive):
            raise _refuse("metadata.sensitive is a list of property names")
        found["sensitive"] = sorted(set(sensitive))
    return found


def _scalar(value: Any) -> str:
    """A property's value as text; JSON scalars are taken in their JSON spelling."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise _refuse("metadata.properties holds text only")


def read_ruleset(value: Any) -> Values | None:
    """Check a rule set's shape, modes and names; None if absent."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise _refuse("ruleSet is an object")
    found: Values = {}
    names: set[str] = set()
    for key in RULE_LISTS:
        rules = value.get(key)
        if rules is None:
            continue
        if not isinstance(rules, list):
            raise _refuse(f"{key} is a list")
        found[key] = [_read_rule(rule, key, names) for rule in rules]
    enable_at = value.get("enableAt")
    if enable_at is not None:
        if not isinstance(enable_at, str):
            raise _refuse("enableAt is text")
        found["enableAt"] = enable_at
    return found


def _read_rule(rule: Any, group: str, names: set[str]) -> Values:
    if not isinstance(rule, dict):
        raise _refuse("a rule is an object")
    found = _rule_texts(rule)
    name = found.get("name")
    if not name or not name.strip():
        raise _refuse("Empty rule name")
    if name in names:
        raise _refuse(f"Found rule with duplicate name '{name}'")
    names.add(name)
    if not found.get("type"):
        raise _refuse(f"rule '{name}' has no type")
    if found.get("kind") not in {None, *_KINDS}:
        raise _refuse(f"rule '{name}' has kind '{found['kind']}', expected TRANSFORM or CONDITION")
    if found.get("mode") not in {None, *_MODES[group]}:
        allowed = ", ".join(sorted(_MODES[group]))
        raise _refuse(
            f"rule '{name}' of {group} has mode '{found['mode']}', expected one of {allowed}"
        )
    return found | _rule_rest(rule, name)


def _rule_texts(rule: Mapping[str, Any]) -> Values:
    found: Values = {}
    for key in _TEXTS:
        value = rule.get(key)
        if value is None:
            continue
        if not isinstance(value, str):
            raise _refuse(f"a rule's {key} is text")
        found[key] = value
    return found


def _rule_rest(rule: Mapping[str, Any], name: str) -> Values:
    found: Values = {}
    tags, params, disabled = rule.get("tags"), rule.get("params"), rule.get("disabled")
    if tags is not None:
        if not _is_texts(tags):
            raise _refuse(f"tags of rule '{name}' are a list of names")
        found["tags"] = sorted(set(tags))
    if params is not None:
        if not isinstance(params, dict):
            raise _refuse(f"params of rule '{name}' are an object")
        found["params"] = {
            key: _scalar(each) for key, each in sorted(params.items()) if each is not None
        }
    if disabled is not None and not isinstance(disabled, bool):
        raise _refuse(f"disabled of rule '{name}' is true or false")
    found["disabled"] = bool(disabled)
    return found


def merge_metadata(base: Values | None, above: Values | None) -> Values | None:
    """`above` over `base`: tags unite by path, properties replace by name, sensitive unite."""
    if base is None or above is None:
        return base if above is None else above
    merged: Values = {}
    if "tags" in base or "tags" in above:
        tags = {path: set(names) for path, names in base.get("tags", {}).items()}
        for path, names in above.get("tags", {}).items():
            tags.setdefault(path, set()).update(names)
        merged["tags"] = {path: sorted(names) for path, names in sorted(tags.items())}
    if "properties" in base or "properties" in above:
        both = {**base.get("properties", {}), **above.get("properties", {})}
        merged["properties"] = dict(sorted(both.items()))
    if "sensitive" in base or "sensitive" in above:
        merged["sensitive"] = sorted({*base.get("sensitive", ()), *above.get("sensitive", ())})
    return merged


def merge_rulesets(base: Values | None, above: Values | None) -> Values | None:
    """`above` over `base`: a rule of the same name replaces, the others of both stay in order."""
    if base is None or above is None:
        return base if above is None else above
    replaced = {rule["name"] for rule in rules_of(above)}
    merged: Values = {}
    for key in RULE_LISTS:
        if key in base or key in above:
            kept = [rule for rule in base.get(key, ()) if rule["name"] not in replaced]
            merged[key] = kept + list(above.get(key, ()))
    enable_at = above.get("enableAt") or base.get("enableAt")
    return merged | ({"enableAt": enable_at} if enable_at else {})


def rules_of(ruleset: Values | None) -> Iterator[Values]:
    """Every rule, over the three lists."""
    for key in RULE_LISTS:
        yield from (ruleset or {}).get(key) or ()


def property_of(metadata: Values | None, name: str) -> str | None:
    """A metadata property, or None."""
    value = ((metadata or {}).get("properties") or {}).get(name)
    return None if value is None else str(value)


def without_property(metadata: Values | None, name: str) -> Values | None:
    """The metadata without one property; None when nothing else was there."""
    if property_of(metadata, name) is None or metadata is None:
        return metadata
    rest = {key: value for key, value in metadata["properties"].items() if key != name}
    kept = {key: value for key, value in metadata.items() if key != "properties"}
    return (kept | ({"properties": rest} if rest else {})) or None


def with_version(metadata: Values | None, version: int) -> Values | None:
    """The metadata with its version property, where it has one, naming the version."""
    if metadata is None or property_of(metadata, VERSION) is None:
        return metadata
    properties = {**metadata["properties"], VERSION: str(version)}
    return {**metadata, "properties": properties}


def version_of(metadata: Values | None) -> int | None:
    """The version that the metadata asks for; None when it leaves that open."""
    text = property_of(metadata, VERSION) or ""
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text[:11]) < 2**31 else None


def reserved_names(metadata: Values | None) -> set[str]:
    """Names that the metadata reserves."""
    listed = (property_of(metadata, RESERVED) or "").split(",")
    return {name.strip() for name in listed} - {""}


def canonical(value: Values | None) -> str:
    """The one text for equal values; empty for an absent one."""
    if value is None:
        return ""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def restore(text: str) -> Values | None:
    """What `canonical` wrote."""
    if not text:
        return None
    restored: Values = json.loads(text)
    return restored
