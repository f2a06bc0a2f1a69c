"""KEKs shared with the server: it makes, opens and rewraps key material; it never tells of it."""

import base64
import logging
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.test import override_settings

from registry.keys.actions import deks
from registry.keys.entities import DekName, NewDek, NewKek
from registry.keys.models import Dek, Kek
from registry.naming import SubjectName
from tests.registry.conftest import Json
from tests.registry.keys.conftest import KEKS, MATERIAL, SECRET, Keys


def cipher_of(secret: str) -> AESGCM:
    """What a client with this secret wraps with: AES-128-GCM under HKDF-SHA256 of it."""
    return AESGCM(HKDF(SHA256(), 16, None, b"").derive(secret.encode()))


def unwrapped(dek: Json, secret: str = SECRET) -> bytes:
    """The material, opened as a client does."""
    wrapped = base64.b64decode(dek["encryptedKeyMaterial"])
    return cipher_of(secret).decrypt(wrapped[:12], wrapped[12:], b"")


def wrapped_by_client(material: bytes, secret: str = SECRET) -> str:
    """Material as a client wraps it."""
    return base64.b64encode(
        b"n" * 12 + cipher_of(secret).encrypt(b"n" * 12, material, b"")
    ).decode()


def made_by_server(keys: Keys, **more: Any) -> Json:
    """A DEK whose material the server makes."""
    return keys.dek(encryptedKeyMaterial=None, **more)


@pytest.mark.parametrize(
    ("algorithm", "head", "length"),
    [
        ("AES128_GCM", b"\x1a\x10", 16),
        ("AES256_GCM", b"\x1a\x20", 32),
        ("AES256_SIV", b"\x12@", 64),
    ],
)
def test_the_server_makes_a_key(
    keys: Keys, local_kms: str, algorithm: str, head: bytes, length: int
) -> None:
    keys.shared_kek()
    made = made_by_server(keys, algorithm=algorithm)
    material = base64.b64decode(made["keyMaterial"])
    assert material == unwrapped(made, local_kms)
    assert (material[:2], len(material)) == (head, 2 + length)
    assert keys.get(f"{KEKS}/orders/deks/s?algorithm={algorithm}") == made


def test_every_key_is_another(keys: Keys, local_kms: str) -> None:
    keys.shared_kek()
    found = {made_by_server(keys, version=version)["keyMaterial"] for version in range(1, 6)}
    assert len(found) == 5


def test_the_server_opens_what_a_client_wrapped(keys: Keys, local_kms: str) -> None:
    keys.shared_kek()
    made = keys.dek(encryptedKeyMaterial=wrapped_by_client(b"material", local_kms))
    assert base64.b64decode(made["keyMaterial"]) == b"material"


def test_without_sharing_nothing_is_opened(keys: Keys, local_kms: str) -> None:
    keys.kek(kmsType="local-kms")
    sent = wrapped_by_client(b"material", local_kms)
    assert "keyMaterial" not in keys.dek(encryptedKeyMaterial=sent)
    keys.call("PUT", f"{KEKS}/orders", {"shared": True})
    assert keys.get(f"{KEKS}/orders/deks/s")["keyMaterial"] == "bWF0ZXJpYWw="


def test_test_a_kek(keys: Keys, local_kms: str) -> None:
    made = keys.shared_kek()
    assert keys.call("POST", f"{KEKS}/orders/test") == (200, made)
    keys.kek("private")
    status, body = keys.call("POST", f"{KEKS}/private/test")
    assert (status, body["error_code"]) == (403, 40370)
    keys.kek("cloud", shared=True)
    assert keys.refused("POST", "/cloud/test") == 50070
    with override_settings(LOCAL_KMS_SECRET=""):
        assert keys.refused("POST", "/orders/test") == 50070


def test_test_sharing(keys: Keys, local_kms: str) -> None:
    cloud = {"name": "cloud", "kmsType": "gcp-kms", "kmsKeyId": "k", "shared": True}
    assert keys.refused("POST", "?testSharing=true", cloud) == 50070
    assert keys.get(KEKS) == []
    status, _ = keys.call("POST", f"{KEKS}?testSharing=true", {**cloud, "kmsType": "local-kms"})
    assert status == 200
    keys.kek("private")
    assert keys.refused("PUT", "/private?testSharing=true", {"shared": True}) == 50070
    assert keys.get(f"{KEKS}/private")["shared"] is False
    assert keys.call("PUT", f"{KEKS}/private?testSharing=true", {"doc": "x"})[0] == 200


def test_a_kms_out_of_reach(keys: Keys) -> None:
    keys.kek(shared=True)
    status, body = keys.call("POST", f"{KEKS}/orders/deks", {"subject": "s"})
    assert (status, body["error_code"]) == (500, 50070)
    assert body["message"] == (
        "Could not generate encrypted dek for s: "
        "this server has no access to a KMS of type 'aws-kms'"
    )
    sent = {"subject": "s", "encryptedKeyMaterial": MATERIAL}
    assert keys.refused("POST", "/orders/deks", sent) == 50070
    assert keys.get(f"{KEKS}/orders/deks") == []


@pytest.mark.parametrize("material", ["%%%", MATERIAL, wrapped_by_client(b"m", "another secret")])
def test_what_cannot_be_opened(keys: Keys, local_kms: str, material: str) -> None:
    keys.shared_kek()
    sent = {"subject": "s", "encryptedKeyMaterial": material}
    status, body = keys.call("POST", f"{KEKS}/orders/deks", sent)
    assert (status, body["error_code"]) == (500, 50070)
    assert body["message"].startswith("Could not generate raw dek for s: ")
    assert material not in body["message"]


def test_rewrap(keys: Keys, local_kms: str) -> None:
    keys.shared_kek()
    made = made_by_server(keys)
    status, again = keys.call("POST", f"{KEKS}/orders/deks?rewrap=true", {"subject": "s"})
    assert (status, again["keyMaterial"]) == (200, made["keyMaterial"])
    assert again["encryptedKeyMaterial"] != made["encryptedKeyMaterial"]
    assert unwrapped(again, local_kms) == unwrapped(made, local_kms)
    assert keys.get(f"{KEKS}/orders/deks/s") == again
    status, first = keys.call("POST", f"{KEKS}/orders/deks/t?rewrap=true", {})
    assert (status, first["subject"]) == (200, "t")
    keys.kek("private")
    keys.dek("s", "private")
    assert keys.refused("POST", "/private/deks/s?rewrap=true", {}) == 40370


def test_a_key_made_by_the_server_does_not_come_back_as_another(keys: Keys, local_kms: str) -> None:
    keys.shared_kek()
    made_by_server(keys)
    assert keys.refused("POST", "/orders/deks", {"subject": "s"}) == 40971
    keys.done("DELETE", "orders/deks/s")
    assert keys.refused("POST", "/orders/deks", {"subject": "s"}) == 40971


def test_nothing_is_told_of_keys(
    keys: Keys, local_kms: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        keys.shared_kek(kmsProps={"token.id": "a KMS credential"})
        made = made_by_server(keys)
        keys.call("POST", f"{KEKS}/orders/deks", {"subject": "s"})
        keys.call("POST", f"{KEKS}/orders/deks?rewrap=true", {"subject": "s"})
        with override_settings(LOCAL_KMS_SECRET="another"):
            keys.call("GET", f"{KEKS}/orders/deks/s")
        keys.call("POST", f"{KEKS}/orders/deks", '{"encryptedKeyMaterial": "' + MATERIAL)
    secrets = {made["keyMaterial"], made["encryptedKeyMaterial"], MATERIAL, SECRET, "credential"}
    raw = base64.b64decode(made["keyMaterial"])[2:]
    told = [
        caplog.text,
        *(str(record.__dict__) for record in caplog.records if record.name != "django.db.backends"),
    ]
    assert not [text for text in told for secret in secrets if secret in text]
    assert raw.hex() not in caplog.text


def test_no_repr_tells_of_keys(keys: Keys, local_kms: str) -> None:
    keys.shared_kek(kmsProps={"token.id": "a KMS credential"})
    made = made_by_server(keys)
    found = deks.get_dek(DekName("orders", SubjectName.read("s")))
    new_kek = NewKek("k", "t", "i", kms_props={"a": "a KMS credential"})
    new_dek = NewDek(encrypted_key_material=MATERIAL)
    texts = [repr(each) for each in (found, new_kek, new_dek, Kek.objects.get(), Dek.objects.get())]
    secrets = {made["keyMaterial"], made["encryptedKeyMaterial"], MATERIAL, "credential"}
    assert not [text for text in texts for secret in secrets if secret in text]


def test_raw_material_is_not_stored(keys: Keys, local_kms: str) -> None:
    keys.shared_kek()
    made = made_by_server(keys)
    kept = str(list(Dek.objects.values()) + list(Kek.objects.values()))
    assert made["encryptedKeyMaterial"] in kept
    assert made["keyMaterial"] not in kept
