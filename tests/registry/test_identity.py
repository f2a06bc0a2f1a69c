"""Fingerprints and GUIDs: equal for equal content, apart for different content."""

import hashlib
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.data_contract import canonical, read_metadata, read_ruleset, restore
from registry.identity import Reference, digest_text, fingerprint, guid
from tests.registry.conftest import Registry

texts = st.text(max_size=20)
references = st.lists(st.builds(Reference, texts, texts, st.integers(1, 2**31 - 1)), max_size=3)
metadata = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "tags": st.dictionaries(texts, st.lists(texts, max_size=3), max_size=3),
        "properties": st.dictionaries(texts, texts, max_size=3),
        "sensitive": st.lists(texts, max_size=3),
    },
)


def test_the_guid_of_a_text_alone_is_its_md5() -> None:
    assert guid('"string"') == UUID(bytes=hashlib.md5(b'"string"').digest())


def test_the_guids_input_in_order() -> None:
    rule = {
        "name": "n", "doc": "d", "kind": "CONDITION", "mode": "WRITE", "type": "CEL",
        "tags": ["t2", "t1"], "params": {"b": "2", "a": "1"}, "expr": "e", "onSuccess": "s",
        "onFailure": "f", "disabled": True,
    }  # fmt: skip
    made = guid(
        "text",
        [Reference("r", "s", 258)],
        {"tags": {"p": ["y", "x"]}, "properties": {"k": "v"}, "sensitive": ["z"]},
        {"domainRules": [rule], "enableAt": "now"},
    )
    expected = b"textrs\x00\x00\x01\x02\x01pxykvz\x01ndCONDITIONWRITECELt1t2a1b2esf\x01now"
    assert made == UUID(bytes=hashlib.md5(expected).digest())


@given(texts, references, metadata)
def test_an_absent_part_is_not_an_empty_one(
    text: str, refers: list[Reference], given_metadata: Any
) -> None:
    read = read_metadata(given_metadata)
    assert restore(canonical(read)) == read
    assert guid(text, refers, None) != guid(text, refers, {})
    digest = digest_text("AVRO", text, refers)
    assert digest != digest_text("JSON", text, refers)
    assert fingerprint(digest, "", "") != fingerprint(digest, canonical({}), "")


@given(texts, texts, texts, texts)
def test_parts_do_not_run_into_each_other(a: str, b: str, c: str, d: str) -> None:
    first = digest_text("AVRO", a, [Reference(b, "s", 1)])
    second = digest_text("AVRO", c, [Reference(d, "s", 1)])
    assert (first == second) == ((a, b) == (c, d))


@given(st.permutations(["a", "b", "c"]))
def test_the_order_of_a_map_does_not_matter(names: list[str]) -> None:
    one = read_metadata({"properties": {name: name for name in names}, "sensitive": names})
    assert canonical(one) == canonical(
        read_metadata({"properties": {"c": "c", "a": "a", "b": "b"}, "sensitive": ["c", "b", "a"]})
    )
    rules = read_ruleset({"domainRules": [{"name": "r", "type": "CEL", "tags": names}]})
    assert rules is not None
    assert rules["domainRules"][0]["tags"] == ["a", "b", "c"]


rules = st.fixed_dictionaries(
    {"name": st.text(min_size=1, max_size=5).filter(str.strip), "type": st.sampled_from(["CEL"])},
    optional={
        "doc": texts,
        "kind": st.sampled_from(["TRANSFORM", "CONDITION"]),
        "mode": st.sampled_from(["WRITE", "READ", "WRITEREAD"]),
        "tags": st.lists(texts, max_size=3),
        "params": st.dictionaries(texts, texts, max_size=3),
        "expr": texts,
        "onSuccess": texts,
        "onFailure": texts,
        "disabled": st.booleans(),
    },
)


def _name_of(rule: Any) -> str:
    name: str = rule["name"]
    return name


rulesets = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "domainRules": st.lists(rules, max_size=2, unique_by=_name_of),
        "enableAt": texts,
    },
)


def _in_order(values: Any) -> list[Any]:
    """Sorted as Java's TreeMap and TreeSet are: unit by unit of UTF-16."""
    return sorted(set(values), key=lambda text: text.encode("utf-16-be"))


def _by_the_contract(
    text: str, refers: list[Reference], meta: dict[str, Any] | None, rule_set: Any
) -> bytes:
    """The digest's input, written down from the contract's sentence and from nothing else."""
    written = text.encode("utf-8")
    for one in refers:
        written += one.name.encode("utf-8") + one.subject.encode("utf-8")
        written += bytes([one.version >> shift & 255 for shift in (24, 16, 8, 0)])
    if meta is not None:
        written += b"\x01"
        for path in _in_order(meta.get("tags", {})):
            written += path.encode() + "".join(_in_order(meta["tags"][path])).encode()
        for key in _in_order(meta.get("properties", {})):
            written += f"{key}{meta['properties'][key]}".encode()
        written += "".join(_in_order(meta.get("sensitive", []))).encode()
    if rule_set is not None:
        written += b"\x01"
        for group in ("migrationRules", "domainRules", "encodingRules"):
            for rule in rule_set.get(group, []):
                written += _rule_by_the_contract(rule)
        written += rule_set.get("enableAt", "").encode()
    return written


def _rule_by_the_contract(rule: dict[str, Any]) -> bytes:
    said = [rule.get(key, "") for key in ("name", "doc", "kind", "mode", "type")]
    said += _in_order(rule.get("tags", []))
    for key in _in_order(rule.get("params", {})):
        said += [key, rule["params"][key]]
    said += [rule.get(key, "") for key in ("expr", "onSuccess", "onFailure")]
    return "".join(said).encode() + (b"\x01" if rule.get("disabled") else b"")


@given(texts, references, metadata, rulesets)
def test_the_guid_is_what_the_contract_says(
    text: str, refers: list[Reference], meta: Any, rule_set: Any
) -> None:
    made = guid(text, refers, read_metadata(meta), read_ruleset(rule_set))
    expected = hashlib.md5(_by_the_contract(text, refers, meta, rule_set)).hexdigest()
    assert made.hex == expected


TEXTS = {
    "AVRO": ('{"type": "fixed", "name": "n.F", "size": 1}', "F"),
    "JSON": ('{ "type": "object", "title": "T" }', "t.json"),
    "PROTOBUF": ('syntax = "proto3";\npackage p;\nmessage M {}\n', "m.proto"),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_the_guid_of_what_is_registered(registry: Registry, kind: str) -> None:
    """Over HTTP: the text and the contract are those that are answered, in the order of Java."""
    text, name = TEXTS[kind]
    for at in (1, 2):
        registry.register(
            f"refers{at}", text.replace("F", f"F{at}").replace("M", f"M{at}"), schemaType=kind
        )
    refers = [{"name": f"{at}{name}", "subject": f"refers{at}", "version": 1} for at in (2, 1)]
    meta = {
        "tags": {"b": ["y", "x"], "a": []},
        "properties": {"k2": "v2", "k1": "v1"},
        "sensitive": ["k2", "k1"],
    }
    rules = [
        {"name": "r1", "type": "CEL", "kind": "CONDITION", "mode": "WRITE", "tags": ["z", "a"],
         "params": {"q": "1", "p": "2"}, "expr": "e", "disabled": True},
        {"name": "r2", "type": "ENCRYPT", "doc": "d", "onSuccess": "NONE", "onFailure": "ERROR"},
    ]  # fmt: skip
    migration = [{"name": "m", "type": "JSONATA", "kind": "TRANSFORM", "mode": "UPGRADE"}]
    made = registry.register(
        "s",
        text,
        schemaType=kind,
        references=refers,
        metadata=meta,
        ruleSet={"domainRules": rules, "migrationRules": migration, "enableAt": "then"},
    )
    stored = registry.get(f"/schemas/ids/{made['id']}")["schema"]
    expected = (
        stored.encode()
        + f"2{name}refers2".encode() + b"\0\0\0\1" + f"1{name}refers1".encode() + b"\0\0\0\1"
        + b"\1" + b"abxy" + b"k1v1k2v2" + b"k1k2"
        + b"\1" + b"mTRANSFORMUPGRADEJSONATA"
        + b"r1CONDITIONWRITECEL" + b"az" + b"p2q1" + b"e" + b"\1"
        + b"r2dENCRYPT" + b"NONEERROR" + b"then"
    )  # fmt: skip
    assert UUID(made["guid"]).bytes == hashlib.md5(expected).digest()


def test_names_are_sorted_as_java_sorts_them() -> None:
    last, first = "\ufffd", "\U0001f600"
    made = guid("", (), {"properties": {last: "", first: ""}, "sensitive": [last, first]})
    assert made.bytes == hashlib.md5(b"\x01" + (first + last).encode() * 2).digest()
