"""New key material for a DEK, in the serialisation that clients expect of it.

Clients hand the bytes to Tink as the value of a key, so they are Tink's key messages (AesGcmKey,
AesSivKey: the version 0 is not written, then the key as a length-delimited field).
"""

import secrets
from typing import Final

DEFAULT_ALGORITHM: Final = "AES256_GCM"
# algorithm → tag of the field that holds the key (number << 3 | 2), length of the key in bytes
_SHAPES: Final = {"AES128_GCM": (0x1A, 16), "AES256_GCM": (0x1A, 32), "AES256_SIV": (0x12, 64)}
ALGORITHMS: Final = tuple(_SHAPES)


def generate(algorithm: str) -> bytes:
    """A random key for the algorithm."""
    tag, length = _SHAPES[algorithm]
    return bytes((tag, length)) + secrets.token_bytes(length)
