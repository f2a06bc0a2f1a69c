"""Metadata and rule sets: stored, inherited, merged, validated, searched."""

from typing import Any

import pytest

from tests.registry.conftest import Registry, record

RULES = {
    "domainRules": [
        {
            "name": "checkLen",
            "kind": "CONDITION",
            "type": "CEL",
            "mode": "WRITE",
            "expr": "size(message.id) > 0",
            "disabled": False,
        }
    ]
}
METADATA = {"properties": {"owner": "orders", "application.version": "1"}, "sensitive": ["owner"]}
ORDER = record(id="string")


def test_both_are_returned_everywhere(registry: Registry) -> None:
    made = registry.register("s", ORDER, metadata=METADATA, ruleSet=RULES)
    for shown in (
        made,
        registry.get("/subjects/s/versions/1"),
        registry.get("/schemas/ids/1"),
        registry.get(f"/schemas/guids/{made['guid']}"),
        registry.get("/schemas")[0],
    ):
        assert shown["metadata"] == METADATA
        assert shown["ruleSet"] == RULES


def test_they_make_another_schema(registry: Registry) -> None:
    first = registry.register("s", ORDER)
    second = registry.register("s", ORDER, metadata=METADATA)
    assert (second["id"], second["version"]) == (2, 2)
    assert first["guid"] != second["guid"]
    assert registry.register("s", ORDER, metadata=METADATA) == second
    assert registry.register("s", ORDER)["version"] == 2


def test_they_are_inherited_from_the_version_before(registry: Registry) -> None:
    registry.register("s", ORDER, metadata=METADATA, ruleSet=RULES)
    later = registry.register("s", record(id="string", n=("int", 0)))
    assert later["metadata"] == METADATA
    assert later["ruleSet"] == RULES


def test_without_a_text_the_latest_is_meant(registry: Registry) -> None:
    registry.register("s", ORDER)
    status, made = registry.call("POST", "/subjects/s/versions", {"ruleSet": RULES})
    assert (status, made["version"], made["ruleSet"]) == (200, 2, RULES)
    assert registry.error("POST", "/subjects/t/versions", {"ruleSet": RULES}) == (422, 42201)


def test_defaults_and_overrides_of_the_config(registry: Registry) -> None:
    config = {
        "defaultMetadata": {"properties": {"owner": "nobody", "tier": "3"}},
        "overrideMetadata": {"properties": {"region": "eu"}},
        "defaultRuleSet": {"domainRules": [{"name": "d", "type": "CEL", "mode": "READ"}]},
    }
    registry.call("PUT", "/config/s", config)
    made = registry.register("s", ORDER, metadata={"properties": {"owner": "orders"}})
    assert made["metadata"]["properties"] == {"owner": "orders", "region": "eu", "tier": "3"}
    assert [rule["name"] for rule in made["ruleSet"]["domainRules"]] == ["d"]


def test_what_the_config_completes_is_registered_once(registry: Registry) -> None:
    config = {
        "defaultMetadata": {"properties": {"tier": "3", "region": "us"}},
        "overrideMetadata": {"properties": {"region": "eu"}},
    }
    registry.call("PUT", "/config/s", config)
    sent: dict[str, Any] = {"metadata": {"properties": {"owner": "orders", "region": "us"}}}
    first = registry.register("s", ORDER, **sent)
    assert first["metadata"]["properties"] == {"owner": "orders", "region": "eu", "tier": "3"}
    assert registry.register("s", ORDER, **sent) == first
    assert registry.register("s", ORDER) == first
    assert registry.get("/subjects/s/versions") == [1]


RULE = {"name": "r", "type": "CEL"}
INVALID = [
    {"domainRules": [{"name": "r"}]},
    {"domainRules": [{"type": "CEL"}]},
    {"domainRules": [RULE, RULE]},
    {"domainRules": [RULE], "migrationRules": [RULE]},
    {"domainRules": [{**RULE, "mode": "UPGRADE"}]},
    {"migrationRules": [{**RULE, "mode": "WRITE"}]},
    {"domainRules": [{**RULE, "kind": "X"}]},
    {"domainRules": "x"},
    {"domainRules": [1]},
    [],
]


@pytest.mark.parametrize("rules", INVALID)
def test_an_invalid_rule_set(registry: Registry, rules: object) -> None:
    body = {"schema": '"string"', "ruleSet": rules}
    assert registry.error("POST", "/subjects/s/versions", body) == (422, 42210)


def test_search_by_metadata(registry: Registry) -> None:
    registry.register("s", ORDER, metadata={"properties": {"a": "1", "b": "2"}})
    registry.register("s", record(id="string", n=("int", 0)), metadata={"properties": {"a": "2"}})
    assert registry.get("/subjects/s/metadata?key=a&value=1&key=b&value=2")["version"] == 1
    assert registry.get("/subjects/s/metadata?deleted=true&key=a&value=2")["version"] == 2
    assert registry.get("/subjects/s/metadata")["version"] == 2
    assert registry.error("GET", "/subjects/s/metadata?key=a&value=3") == (404, 40403)
    assert registry.error("GET", "/subjects/t/metadata?key=a&value=3") == (404, 40401)
