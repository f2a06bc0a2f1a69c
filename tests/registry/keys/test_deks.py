"""Create, read and list DEKs, their versions and algorithms."""

from typing import Any

import pytest

from tests.registry.keys.conftest import KEKS, MATERIAL, Keys


def test_create_and_read(keys: Keys) -> None:
    keys.kek()
    made = keys.dek()
    ts = made.pop("ts")
    assert isinstance(ts, int)
    assert made == {
        "kekName": "orders",
        "subject": "s",
        "version": 1,
        "algorithm": "AES256_GCM",
        "encryptedKeyMaterial": MATERIAL,
    }
    for path in ("s", "s/versions/1", "s/versions/latest", "s/versions/-1"):
        assert keys.get(f"{KEKS}/orders/deks/{path}") == {**made, "ts": ts}


def test_the_subject_in_the_path(keys: Keys) -> None:
    keys.kek()
    body = {"encryptedKeyMaterial": MATERIAL}
    status, made = keys.call("POST", f"{KEKS}/orders/deks/s", body)
    assert (status, made["subject"]) == (200, "s")
    status, made = keys.call("POST", f"{KEKS}/orders/deks/t", {**body, "subject": "t"})
    assert (status, made["subject"]) == (200, "t")
    assert keys.refused("POST", "/orders/deks/u", {**body, "subject": "v"}) == 42271


@pytest.mark.parametrize("subject", ["a/b", "versions", "ä b", "x/versions/2/y"])
def test_any_subject(keys: Keys, subject: str) -> None:
    keys.kek()
    keys.dek(subject)
    assert keys.get(f"{KEKS}/orders/deks") == [subject]
    assert keys.get(f"{KEKS}/orders/deks/{subject}/versions/1")["subject"] == subject
    assert keys.get(f"{KEKS}/orders/deks/{subject}/versions") == [1]


def test_versions(keys: Keys) -> None:
    keys.kek()
    for version in (1, 3, 2):
        keys.dek(version=version, encryptedKeyMaterial=f"m{version}")
    assert keys.get(f"{KEKS}/orders/deks/s/versions") == [1, 2, 3]
    assert keys.get(f"{KEKS}/orders/deks/s/versions?offset=1&limit=1") == [2]
    assert keys.get(f"{KEKS}/orders/deks/s")["version"] == 1
    assert keys.get(f"{KEKS}/orders/deks/s/versions/Latest")["encryptedKeyMaterial"] == "m3"
    assert keys.refused("GET", "/orders/deks/s/versions/4") == 40470
    for wrong in ("0", "x", "99999999999"):
        assert keys.refused("GET", f"/orders/deks/s/versions/{wrong}") == 42202


def test_each_algorithm_has_its_own(keys: Keys) -> None:
    keys.kek()
    keys.dek()
    keys.dek(algorithm="AES256_SIV", encryptedKeyMaterial="siv")
    keys.dek(algorithm="AES256_SIV", version=2)
    keys.dek(algorithm="AES128_GCM", version=7)
    path = f"{KEKS}/orders/deks"
    assert keys.get(path) == ["s"]
    assert keys.get(f"{path}/s?algorithm=AES256_SIV")["encryptedKeyMaterial"] == "siv"
    assert keys.get(f"{path}/s/versions") == [1]
    assert keys.get(f"{path}/s/versions?algorithm=AES256_SIV") == [1, 2]
    assert keys.get(f"{path}/s/versions/-1?algorithm=AES128_GCM")["version"] == 7
    assert keys.refused("GET", "/orders/deks/s?algorithm=AES128_GCM") == 40470
    assert keys.refused("GET", "/orders/deks/s?algorithm=DES") == 42271


def test_unknown_ones(keys: Keys) -> None:
    body = {"subject": "s", "encryptedKeyMaterial": MATERIAL}
    assert keys.refused("POST", "/none/deks", body) == 40470
    assert keys.refused("GET", "/none/deks") == 40470
    assert keys.refused("GET", "/none/deks/s") == 40470
    keys.kek()
    assert keys.get(f"{KEKS}/orders/deks") == []
    status, answer = keys.call("GET", f"{KEKS}/orders/deks/s")
    assert (status, answer["message"]) == (404, "Key 's' not found")
    assert keys.refused("GET", "/orders/deks/s/versions") == 40470
    assert keys.refused("GET", "/orders/deks/s/versions/1") == 40470
    keys.done("DELETE", "orders")
    assert keys.refused("POST", "/orders/deks", body) == 40470


def test_one_exists_once(keys: Keys) -> None:
    keys.kek()
    keys.dek()
    body = {"subject": "s", "encryptedKeyMaterial": MATERIAL}
    assert keys.refused("POST", "/orders/deks", body) == 40971
    assert keys.refused("POST", "/orders/deks", {**body, "encryptedKeyMaterial": "x"}) == 40971


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"subject": None}, 42271),
        ({"encryptedKeyMaterial": None}, 42271),
        ({"encryptedKeyMaterial": "a\x00"}, 42271),
        ({"algorithm": "DES"}, 42271),
        ({"subject": "a\x01"}, 42208),
        ({"subject": ":*:s"}, 42208),
        ({"version": 0}, 42202),
        ({"version": -1}, 42202),
        ({"version": 2**40}, 42202),
        ({"version": "1"}, 400),
        ({"version": True}, 400),
        ({"encryptedKeyMaterial": 5}, 400),
    ],
)
def test_what_is_refused(keys: Keys, change: Any, code: int) -> None:
    keys.kek()
    body = {"subject": "s", "encryptedKeyMaterial": MATERIAL, **change}
    assert keys.refused("POST", "/orders/deks", body) == code
    assert keys.get(f"{KEKS}/orders/deks") == []


def test_list_subjects(keys: Keys) -> None:
    keys.kek()
    for subject in ("b", "a", ":.eu:c"):
        keys.dek(subject)
    keys.dek("a", algorithm="AES256_SIV")
    assert keys.get(f"{KEKS}/orders/deks") == [":.eu:c", "a", "b"]
    assert keys.get(f"{KEKS}/orders/deks?offset=1&limit=1") == ["a"]
    keys.done("DELETE", "orders/deks/b")
    assert keys.get(f"{KEKS}/orders/deks") == [":.eu:c", "a"]
    assert keys.get(f"{KEKS}/orders/deks?deleted=true") == [":.eu:c", "a", "b"]


def test_a_kek_in_the_subjects_context(keys: Keys) -> None:
    """The subject's own context comes first; clients that know none use the default one."""
    keys.kek(doc="default")
    subject = ":.eu:s"
    keys.dek(subject)
    assert keys.get(f"{KEKS}/orders/deks") == [subject]
    assert keys.get(f"/contexts/eu{KEKS}/orders/deks/s")["subject"] == subject
    body = {"name": "orders", "kmsType": "aws-kms", "kmsKeyId": "k"}
    keys.call("POST", f"{KEKS}?context=.eu", body)
    keys.dek(":.eu:t")
    assert keys.get(f"{KEKS}/orders/deks?context=.eu") == [":.eu:t"]
    assert keys.get(f"{KEKS}/orders/deks/{subject}?context=.")["subject"] == subject


def test_an_alias_that_holds_for_deks(keys: Keys) -> None:
    keys.kek()
    keys.dek("real")
    keys.call("PUT", "/config/other", {"alias": "real"})
    assert keys.refused("GET", "/orders/deks/other") == 40470
    keys.call("PUT", "/config/other", {"aliasForDeks": "real"})
    assert keys.get(f"{KEKS}/orders/deks/other")["subject"] == "real"


def test_read_only(keys: Keys) -> None:
    keys.kek()
    keys.dek()
    keys.call("PUT", "/mode/s", {"mode": "READONLY"})
    body = {"subject": "s", "version": 2, "encryptedKeyMaterial": MATERIAL}
    assert keys.refused("POST", "/orders/deks", body) == 42205
    assert keys.refused("DELETE", "/orders/deks/s") == 42205
    assert keys.refused("POST", "/orders/deks/s/undelete") == 42205
    keys.dek("t")
