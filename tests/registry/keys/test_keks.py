"""Create, read, list and change KEKs."""

from typing import Any
from urllib.parse import quote

import pytest
from django.test import override_settings

from tests.registry.keys.conftest import KEKS, Keys

BODY = {"name": "orders", "kmsType": "aws-kms", "kmsKeyId": "arn:aws:kms:key/1"}


def test_create_and_read(keys: Keys) -> None:
    made = keys.kek(kmsProps={"region": "eu"}, doc="for orders")
    ts = made.pop("ts")
    assert isinstance(ts, int)
    assert made == {
        **BODY,
        "kmsProps": {"region": "eu"},
        "doc": "for orders",
        "shared": False,
    }
    assert keys.get(f"{KEKS}/orders") == {**made, "ts": ts}


def test_absent_values_are_left_out(keys: Keys) -> None:
    made = keys.kek(kmsProps=None, doc=None)
    assert set(made) == {"name", "kmsType", "kmsKeyId", "shared", "ts"}
    assert keys.kek("b", kmsProps={"a": None, "b": "1"})["kmsProps"] == {"b": "1"}


def test_an_unknown_one(keys: Keys) -> None:
    status, body = keys.call("GET", f"{KEKS}/none")
    assert (status, body) == (404, {"error_code": 40470, "message": "Key 'none' not found"})
    assert keys.refused("PUT", "/none", {"doc": "x"}) == 40470
    assert keys.refused("DELETE", "/none") == 40470
    assert keys.refused("POST", "/none/undelete") == 40470
    assert keys.refused("POST", "/none/test") == 40470
    assert keys.refused("GET", "/a%00b") == 40470


def test_a_name_is_taken_once(keys: Keys) -> None:
    keys.kek()
    status, body = keys.call("POST", KEKS, BODY)
    assert (status, body["error_code"]) == (409, 40971)
    assert body["message"] == "Key 'orders' already exists; use a different value"


@pytest.mark.parametrize("missing", ["name", "kmsType", "kmsKeyId"])
def test_what_a_kek_needs(keys: Keys, missing: str) -> None:
    for value in (None, ""):
        assert keys.refused("POST", "", {**BODY, missing: value}) == 42271


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": "a/b"}, 42271),
        ({"name": "a\x00"}, 42271),
        ({"name": "n" * 256}, 42271),
        ({"kmsType": "t" * 256}, 42271),
        ({"kmsKeyId": "a\x00"}, 42271),
        ({"kmsProps": {"a": "\x00"}}, 42271),
        ({"kmsProps": {"a": 1}}, 400),
        ({"kmsProps": []}, 400),
        ({"name": 5}, 400),
        ({"shared": "yes"}, 400),
    ],
)
def test_what_is_refused(keys: Keys, change: Any, code: int) -> None:
    assert keys.refused("POST", "", {**BODY, **change}) == code
    assert keys.get(KEKS) == []


def test_list(keys: Keys) -> None:
    for name in ("b", "a", "Z"):
        keys.kek(name)
    assert keys.get(KEKS) == ["Z", "a", "b"]
    assert keys.get(f"{KEKS}?offset=1&limit=1") == ["a"]
    assert keys.get(f"{KEKS}?offset=2&limit=-1") == ["b"]
    keys.done("DELETE", "a")
    assert keys.get(KEKS) == ["Z", "b"]
    assert keys.get(f"{KEKS}?deleted=True") == ["Z", "a", "b"]


def test_list_by_subject(keys: Keys) -> None:
    for name in ("a", "b", "c"):
        keys.kek(name)
    keys.dek("orders-value", "a")
    keys.dek("Orders-key", "b")
    keys.dek("orders-value", "b", algorithm="AES256_SIV")
    assert keys.get(f"{KEKS}?subjectPrefix=orders") == ["a", "b"]
    assert keys.get(f"{KEKS}?subjectPrefix=Orders") == ["b"]
    assert keys.get(f"{KEKS}?subjectPrefix=none&subjectPrefix=Orders") == ["b"]
    assert keys.get(f"{KEKS}?subjectPrefix=:*:") == ["a", "b"]
    keys.done("DELETE", "a/deks/orders-value")
    assert keys.get(f"{KEKS}?subjectPrefix=orders") == ["b"]
    assert keys.get(f"{KEKS}?subjectPrefix=orders&deleted=true") == ["a", "b"]


def test_update(keys: Keys) -> None:
    keys.kek(doc="before", kmsProps={"a": "1"})
    status, body = keys.call("PUT", f"{KEKS}/orders", {"doc": "after"})
    assert (status, body["doc"], body["kmsProps"]) == (200, "after", {"a": "1"})
    _, body = keys.call("PUT", f"{KEKS}/orders", {"kmsProps": {}, "shared": True})
    assert "kmsProps" not in body
    assert (body["doc"], body["shared"]) == ("after", True)
    assert keys.get(f"{KEKS}/orders") == body
    for nothing in ({}, {"doc": None}, {"doc": "after"}, {"kmsType": "another"}):
        assert keys.call("PUT", f"{KEKS}/orders", nothing) == (200, body)
    assert keys.refused("PUT", "/orders", {"shared": 1}) == 400


def test_as_many_as_the_settings_allow(keys: Keys) -> None:
    with override_settings(REGISTRY_MAX_KEYS=1):
        keys.kek("a")
        assert keys.refused("POST", "", BODY) == 40972
        keys.dek("s", "a")
        body = {"subject": "t", "encryptedKeyMaterial": "x"}
        assert keys.refused("POST", "/a/deks", body) == 40972


def test_contexts(keys: Keys) -> None:
    keys.kek(doc="default")
    for path in (f"{KEKS}?context=.eu", f"/contexts/us{KEKS}"):
        status, _ = keys.call("POST", path, {**BODY, "doc": path})
        assert status == 200
    assert keys.get(f"{KEKS}/orders")["doc"] == "default"
    assert keys.get(f"/contexts/.eu{KEKS}/orders")["doc"] == f"{KEKS}?context=.eu"
    assert keys.get(f"{KEKS}/orders?context=us")["doc"] == f"/contexts/us{KEKS}"
    assert keys.get(f"{KEKS}?context=none") == []
    assert keys.refused("GET", "?context=.__GLOBAL") == 42208
    assert keys.refused("GET", "?context=a%00") == 42208


def test_read_only(keys: Keys) -> None:
    keys.kek()
    keys.call("PUT", "/mode", {"mode": "READONLY"})
    assert keys.refused("POST", "", {**BODY, "name": "b"}) == 42205
    assert keys.refused("PUT", "/orders", {"doc": "x"}) == 42205
    assert keys.refused("DELETE", "/orders") == 42205
    assert keys.refused("POST", "/orders/undelete") == 42205
    assert keys.get(KEKS) == ["orders"]


@pytest.mark.parametrize("name", ["a b", "ü", "a%2Fb", "a+b", ":.c:a", "a?b#c", "deks", "test"])
def test_names_that_need_encoding(keys: Keys, name: str) -> None:
    made = keys.kek(name)
    path = f"{KEKS}/{quote(name, safe='')}"
    assert keys.get(path) == made
    assert keys.dek("s", quote(name, safe=""))["kekName"] == name
    assert keys.get(f"{path}/deks/s")["kekName"] == name
