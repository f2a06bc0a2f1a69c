"""The KMSs that the server itself can use, for KEKs that are shared with it.

`local-kms` is the one of the clients' own libraries: a secret that both sides hold. Others need
credentials of a cloud, which the server has not; clients use them without its help.
"""

import base64
import binascii
import secrets
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

LOCAL = "local-kms"
_NONCE = 12


class KmsError(Exception):
    """Why a KMS cannot wrap or unwrap; the text tells nothing of keys."""


class Kms(Protocol):
    """Wraps and unwraps key material; both raise KmsError."""

    def wrap(self, material: bytes) -> bytes:
        """Encrypt key material under the KEK."""
        ...

    def unwrap(self, wrapped: bytes) -> bytes:
        """Decrypt what `wrap`, here or in a client, made."""
        ...


class LocalKms:
    """AES-128-GCM (nonce, ciphertext, tag) under a key made from a secret by HKDF (RFC 5869)."""

    def __init__(self, secret: str) -> None:
        derivation = HKDF(algorithm=SHA256(), length=16, salt=None, info=b"")
        self._cipher = AESGCM(derivation.derive(secret.encode()))

    def wrap(self, material: bytes) -> bytes:
        """Encrypt under the secret's key, with a fresh nonce."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._cipher.encrypt(nonce, material, None)

    def unwrap(self, wrapped: bytes) -> bytes:
        """Decrypt; KmsError when it was wrapped under another secret or is damaged."""
        if len(wrapped) <= _NONCE:
            raise KmsError("it is too short to be wrapped by local-kms")
        try:
            return self._cipher.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], None)
        except InvalidTag:
            raise KmsError("it was not wrapped under the secret of this server") from None


def open_kms(kms_type: str) -> Kms:
    """The KMS of that type, or KmsError when the server holds nothing to use it with."""
    if kms_type != LOCAL:
        raise KmsError(f"this server has no access to a KMS of type '{kms_type}'")
    secret: str = settings.LOCAL_KMS_SECRET
    if not secret:
        raise KmsError("this server has no secret for local-kms (LOCAL_KMS_SECRET)")
    return LocalKms(secret)


def check_kms(kms_type: str) -> None:
    """Wrap and unwrap something with the KMS; KmsError when that does not work."""
    kms, probe = open_kms(kms_type), secrets.token_bytes(32)
    if kms.unwrap(kms.wrap(probe)) != probe:
        raise KmsError("what it unwraps is not what it wrapped")


def decode(text: str) -> bytes:
    """Bytes of base64 text; KmsError when it is none."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise KmsError("it is not base64") from None


def encode(content: bytes) -> str:
    """Base64 text of bytes."""
    return base64.b64encode(content).decode()
