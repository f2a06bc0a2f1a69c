"""Delete DEKs softly and for good, by version or all, and bring them back."""

import pytest

from tests.registry.keys.conftest import KEKS, MATERIAL, Keys

DEK = f"{KEKS}/orders/deks/s"


@pytest.fixture
def two(keys: Keys) -> Keys:
    """Two versions of a DEK."""
    keys.kek()
    keys.dek()
    keys.dek(version=2)
    return keys


def test_every_version(two: Keys) -> None:
    assert two.refused("DELETE", "/orders/deks/s?permanent=true") == 40471
    two.done("DELETE", "orders/deks/s")
    assert two.refused("GET", "/orders/deks/s") == 40470
    assert two.refused("GET", "/orders/deks/s/versions") == 40470
    assert two.get(f"{DEK}?deleted=true")["deleted"] is True
    assert two.get(f"{DEK}/versions?deleted=true") == [1, 2]
    two.done("DELETE", "orders/deks/s")
    two.done("DELETE", "orders/deks/s?permanent=true")
    assert two.refused("DELETE", "/orders/deks/s") == 40470


def test_one_version(two: Keys) -> None:
    assert two.refused("DELETE", "/orders/deks/s/versions/2?permanent=true") == 40471
    two.done("DELETE", "orders/deks/s/versions/2")
    assert two.get(f"{DEK}/versions") == [1]
    assert two.get(f"{DEK}/versions/latest")["version"] == 1
    assert two.get(f"{DEK}/versions/latest?deleted=true")["version"] == 2
    assert two.refused("DELETE", "/orders/deks/s?permanent=true") == 40471
    two.done("DELETE", "orders/deks/s/versions/2?permanent=true")
    assert two.get(f"{DEK}/versions?deleted=true") == [1]
    assert two.refused("DELETE", "/orders/deks/s/versions/2") == 40470
    assert two.refused("DELETE", "/orders/deks/s/versions/x") == 42202


def test_another_algorithm_stays(two: Keys) -> None:
    two.dek(algorithm="AES256_SIV")
    two.done("DELETE", "orders/deks/s?algorithm=AES256_SIV")
    assert two.get(f"{DEK}/versions") == [1, 2]
    assert two.refused("GET", "/orders/deks/s?algorithm=AES256_SIV") == 40470
    two.done("POST", "orders/deks/s/undelete?algorithm=AES256_SIV")
    assert two.get(f"{DEK}?algorithm=AES256_SIV")["version"] == 1


def test_undelete(two: Keys) -> None:
    two.done("DELETE", "orders/deks/s")
    two.done("POST", "orders/deks/s/versions/2/undelete")
    assert two.get(f"{DEK}/versions") == [2]
    two.done("POST", "orders/deks/s/undelete")
    assert two.get(f"{DEK}/versions") == [1, 2]
    two.done("POST", "orders/deks/s/versions/latest/undelete")
    assert two.refused("POST", "/orders/deks/s/versions/3/undelete") == 40470
    assert two.refused("POST", "/orders/deks/none/undelete") == 40470


def test_not_while_the_kek_is_deleted(two: Keys) -> None:
    two.done("DELETE", "orders/deks/s")
    two.done("DELETE", "orders")
    status, body = two.call("POST", f"{DEK}/undelete")
    assert (status, body["error_code"]) == (404, 40472)
    assert body["message"] == "Key 'orders' must be undeleted first"
    assert two.get(f"{DEK}/versions/1?deleted=true")["deleted"] is True
    two.done("POST", "orders/undelete")
    two.done("POST", "orders/deks/s/undelete")
    assert two.get(DEK)["version"] == 1


def test_the_same_sent_again_comes_back(two: Keys) -> None:
    two.done("DELETE", "orders/deks/s")
    other = {"subject": "s", "encryptedKeyMaterial": "other"}
    assert two.refused("POST", "/orders/deks", other) == 40971
    assert "deleted" not in two.dek(encryptedKeyMaterial=MATERIAL)
    assert two.get(f"{DEK}/versions") == [1]


def test_created_as_deleted(keys: Keys) -> None:
    keys.kek()
    assert keys.dek(deleted=True)["deleted"] is True
    assert keys.get(f"{KEKS}/orders/deks") == []


def test_created_as_deleted_under_a_deleted_kek(keys: Keys) -> None:
    """As a copy of another registry's keys is made; nothing else is created there."""
    keys.kek(deleted=True)
    body = {"subject": "s", "encryptedKeyMaterial": MATERIAL}
    assert keys.refused("POST", "/orders/deks", body) == 40470
    assert keys.dek(deleted=True)["deleted"] is True
    assert keys.get(f"{KEKS}/orders/deks?deleted=true") == ["s"]
