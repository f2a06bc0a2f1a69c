"""Delete KEKs softly and for good, and bring them back."""

from tests.registry.keys.conftest import KEKS, Keys

BODY = {"name": "orders", "kmsType": "aws-kms", "kmsKeyId": "arn:aws:kms:key/1"}


def test_softly_then_for_good(keys: Keys) -> None:
    keys.kek()
    assert keys.refused("DELETE", "/orders?permanent=true") == 40471
    keys.done("DELETE", "orders")
    assert keys.refused("GET", "/orders") == 40470
    assert keys.refused("PUT", "/orders", {"doc": "x"}) == 40470
    assert keys.get(f"{KEKS}/orders?deleted=true")["deleted"] is True
    keys.done("DELETE", "orders")
    keys.done("DELETE", "orders?permanent=True")
    assert keys.refused("GET", "/orders?deleted=true") == 40470
    keys.kek(doc="another")


def test_undelete(keys: Keys) -> None:
    keys.kek()
    keys.done("DELETE", "orders")
    keys.done("POST", "orders/undelete")
    keys.done("POST", "orders/undelete")
    assert "deleted" not in keys.get(f"{KEKS}/orders")


def test_the_same_sent_again_comes_back(keys: Keys) -> None:
    keys.kek(doc="x")
    keys.done("DELETE", "orders")
    assert keys.refused("POST", "", {**BODY, "doc": "y"}) == 40971
    assert keys.refused("POST", "", {**BODY, "doc": "x", "deleted": True}) == 40971
    assert "deleted" not in keys.kek(doc="x")
    assert keys.get(KEKS) == ["orders"]


def test_one_that_wraps_deks_stays(keys: Keys) -> None:
    keys.kek()
    keys.dek()
    assert keys.refused("DELETE", "/orders") == 42272
    keys.done("DELETE", "orders/deks/s")
    keys.done("DELETE", "orders")
    assert keys.refused("DELETE", "/orders?permanent=true") == 42272
    keys.done("DELETE", "orders/deks/s?permanent=true")
    keys.done("DELETE", "orders?permanent=true")
    assert keys.get(f"{KEKS}?deleted=true") == []


def test_created_as_deleted(keys: Keys) -> None:
    assert keys.kek(deleted=True)["deleted"] is True
    assert keys.get(KEKS) == []
    assert keys.get(f"{KEKS}?deleted=true") == ["orders"]
