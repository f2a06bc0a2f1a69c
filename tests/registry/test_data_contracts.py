"""Metadata and rule sets: stored, inherited, merged, validated, searched."""

from typing import Any

import pytest

from tests.registry.conftest import Json, Registry, record

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


def _names(ruleset: Json, group: str = "domainRules") -> list[str]:
    return [rule["name"] for rule in ruleset[group]]


def test_every_field_of_a_rule_set_comes_back(registry: Registry) -> None:
    rule = {
        "name": "r",
        "doc": "why",
        "kind": "TRANSFORM",
        "mode": "WRITEREAD",
        "type": "ENCRYPT",
        "tags": ["PII", "SECRET"],
        "params": {"encrypt.kek.name": "k"},
        "expr": "x",
        "onSuccess": "NONE,NONE",
        "onFailure": "ERROR,NONE",
        "disabled": True,
    }
    rules = {
        "migrationRules": [{**rule, "name": "m", "mode": "UPDOWN"}],
        "domainRules": [rule],
        "encodingRules": [{**rule, "name": "e", "mode": "READ"}],
        "enableAt": "x",
    }
    assert registry.register("s", ORDER, ruleSet=rules)["ruleSet"] == rules


@pytest.mark.parametrize("mode", ["UPGRADE", "DOWNGRADE", "UPDOWN", "WRITE", "READ", "WRITEREAD"])
def test_each_list_has_modes_of_its_own(registry: Registry, mode: str) -> None:
    migrates = mode in {"UPGRADE", "DOWNGRADE", "UPDOWN"}
    for group in ("migrationRules", "domainRules", "encodingRules"):
        body = {"schema": '"string"', "ruleSet": {group: [{**RULE, "mode": mode}]}}
        status, answer = registry.call("POST", f"/subjects/{group}/versions", body)
        fits = migrates == (group == "migrationRules")
        assert (status, answer.get("error_code")) == ((200, None) if fits else (422, 42210))


@pytest.mark.parametrize("rules", INVALID)
def test_an_invalid_rule_set_anywhere(registry: Registry, rules: object) -> None:
    registry.register("s", ORDER)
    for key in ("defaultRuleSet", "overrideRuleSet"):
        assert registry.error("PUT", "/config/s", {key: rules}) == (422, 42210)
    for key in ("ruleSet", "rulesToMerge"):
        assert registry.error("POST", "/subjects/s/versions/1/tags", {key: rules}) == (422, 42210)
    assert registry.get("/subjects/s/versions") == [1]


@pytest.mark.parametrize(
    "metadata",
    ["x", [], {"tags": []}, {"tags": {"a": "PII"}}, {"properties": {"a": []}}, {"sensitive": "a"}],
)
def test_invalid_metadata(registry: Registry, metadata: object) -> None:
    body = {"schema": '"string"', "metadata": metadata}
    assert registry.error("POST", "/subjects/s/versions", body) == (422, 42210)
    assert registry.error("PUT", "/config", {"overrideMetadata": metadata}) == (422, 42210)


def test_rules_of_default_own_and_override_by_name(registry: Registry) -> None:
    """Own rules replace defaults of the same name, overrides replace both; the order stays."""

    def rules(expr: str, *names: str) -> Json:
        return {"domainRules": [{**RULE, "name": name, "expr": expr} for name in names]}

    config = {
        "defaultRuleSet": rules("default", "a", "b", "c") | {"enableAt": "d"},
        "overrideRuleSet": rules("override", "c", "e"),
    }
    registry.call("PUT", "/config/s", config)
    made = registry.register("s", ORDER, ruleSet=rules("own", "b", "d"))["ruleSet"]
    assert [(rule["name"], rule["expr"]) for rule in made["domainRules"]] == [
        ("a", "default"),
        ("b", "own"),
        ("d", "own"),
        ("c", "override"),
        ("e", "override"),
    ]
    assert made["enableAt"] == "d"


def test_metadata_of_default_own_and_override(registry: Registry) -> None:
    def metadata(value: str, *keys: str) -> Json:
        return {
            "properties": dict.fromkeys(keys, value),
            "tags": {"Order.id": [value]},
            "sensitive": list(keys),
        }

    config = {
        "defaultMetadata": metadata("default", "a", "b", "c"),
        "overrideMetadata": metadata("override", "c", "e"),
    }
    registry.call("PUT", "/config/s", config)
    made = registry.register("s", ORDER, metadata=metadata("own", "b", "d"))["metadata"]
    assert made == {
        "properties": {"a": "default", "b": "own", "c": "override", "d": "own", "e": "override"},
        "tags": {"Order.id": ["default", "override", "own"]},
        "sensitive": ["a", "b", "c", "d", "e"],
    }


def test_rules_to_merge_replace_those_of_their_name(registry: Registry) -> None:
    first = {"domainRules": [{**RULE, "name": "a"}, {**RULE, "name": "b"}]}
    registry.register("s", ORDER, ruleSet=first)
    body = {
        "rulesToMerge": {
            "domainRules": [{**RULE, "name": "a", "expr": "new"}],
            "migrationRules": [{**RULE, "name": "m", "mode": "UPGRADE"}],
        },
        "rulesToRemove": ["b", "absent"],
    }
    status, made = registry.call("POST", "/subjects/s/versions/1/tags", body)
    assert (status, made["version"], _names(made["ruleSet"])) == (200, 2, ["a"])
    assert made["ruleSet"]["domainRules"][0]["expr"] == "new"
    assert _names(made["ruleSet"], "migrationRules") == ["m"]
    # a rule of the name in another list makes way: names are one set over the three
    moved = {"rulesToMerge": {"encodingRules": [{**RULE, "name": "a", "mode": "READ"}]}}
    made = registry.call("POST", "/subjects/s/versions/2/tags", moved)[1]
    assert (made["version"], made["ruleSet"]["domainRules"]) == (3, [])
    assert _names(made["ruleSet"], "encodingRules") == ["a"]
    # the same again changes nothing
    assert registry.call("POST", "/subjects/s/versions/3/tags", moved)[1]["version"] == 3


def test_a_rule_set_of_the_tags_call_stands_for_the_versions_own(registry: Registry) -> None:
    registry.register("s", ORDER, ruleSet={"domainRules": [{**RULE, "name": "a"}]})
    body = {
        "ruleSet": {"domainRules": [{**RULE, "name": "b"}]},
        "rulesToMerge": {"domainRules": [{**RULE, "name": "c"}]},
    }
    made = registry.call("POST", "/subjects/s/versions/1/tags", body)[1]
    assert _names(made["ruleSet"]) == ["b", "c"]


def test_which_part_of_a_contract_makes_another_schema(registry: Registry) -> None:
    """Every part does but the order in which a map or set was written."""
    parts: list[Json] = [
        {},
        {"metadata": {"properties": {"a": "1", "b": "2"}}},
        {"metadata": {"properties": {"a": "1", "b": "2"}, "sensitive": ["a"]}},
        {"metadata": {"tags": {"Order.id": ["A", "B"]}}},
        {"ruleSet": {"domainRules": [RULE]}},
        {"ruleSet": {"domainRules": [{**RULE, "disabled": True}]}},
        {"ruleSet": {"domainRules": [RULE], "enableAt": "x"}},
        {"ruleSet": {"encodingRules": [RULE]}},
    ]
    made = [registry.register(f"s{each}", ORDER, **more) for each, more in enumerate(parts)]
    assert len({one["id"] for one in made}) == len(parts)
    # the digest that a GUID is does not say in which of the lists a rule is
    assert len({one["guid"] for one in made}) == len(parts) - 1
    again: list[tuple[int, Json]] = [
        (1, {"metadata": {"properties": {"b": "2", "a": "1"}}}),
        (3, {"metadata": {"tags": {"Order.id": ["B", "A", "B"]}}}),
        (4, {"ruleSet": {"domainRules": [{**RULE, "disabled": False}]}}),
    ]
    for number, more in again:
        assert registry.register(f"t{number}", ORDER, **more)["id"] == made[number]["id"]
