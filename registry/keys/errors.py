"""The DEK registry's errors, with Confluent's codes; none of them ever quotes key material.

RegistryError
├── KeyNotSharedError (403) 40370
├── NotFoundError (404): KeyNotFound 40470, KeyNotSoftDeleted 40471, KeySoftDeleted 40472
├── ConflictError (409): KeyExists 40971, TooManyKeys 40972
├── RefusedError (422): KeyInvalid 42271, KeyReferenceExists 42272
└── KeyMaterialError (500) 50070
"""

from registry.errors import ConflictError, NotFoundError, RefusedError, RegistryError


class KeyNotSharedError(RegistryError):
    """The server may use only a KEK that was shared with it."""

    error_code = 40370
    http_status = 403

    def __init__(self, name: str) -> None:
        super().__init__(f"Key '{name}' is not shared with the DEK registry")


class KeyNotFoundError(NotFoundError):
    """There is no such KEK (or DEK, named by its subject), or it is softly deleted."""

    error_code = 40470

    def __init__(self, name: object) -> None:
        super().__init__(f"Key '{name}' not found")


class KeyNotSoftDeletedError(NotFoundError):
    """A hard delete without the soft one before it."""

    error_code = 40471

    def __init__(self, name: object) -> None:
        super().__init__(f"Key '{name}' was not deleted first before being permanently deleted")


class KeySoftDeletedError(NotFoundError):
    """A DEK cannot come back while its KEK is softly deleted."""

    error_code = 40472

    def __init__(self, name: object) -> None:
        super().__init__(f"Key '{name}' must be undeleted first")


class KeyExistsError(ConflictError):
    """The key is there already, or softly deleted and different from the one sent."""

    error_code = 40971

    def __init__(self, name: object) -> None:
        super().__init__(f"Key '{name}' already exists; use a different value")


class TooManyKeysError(ConflictError):
    """The setting REGISTRY_MAX_KEYS is reached."""

    error_code = 40972

    def __init__(self, most: int) -> None:
        super().__init__(f"A maximum of {most} keys already exist")


class KeyInvalidError(RefusedError):
    """A field of a key is missing or unusable."""

    error_code = 42271

    def __init__(self, why: str) -> None:
        super().__init__(f"Invalid key: {why}")


class KeyReferenceExistsError(RefusedError):
    """A KEK that still wraps DEKs cannot be deleted."""

    error_code = 42272

    def __init__(self, name: str) -> None:
        super().__init__(f"One or more references exist to the key '{name}'")


class KeyMaterialError(RegistryError):
    """The KMS of a shared KEK is out of reach, or refuses to wrap or unwrap."""

    error_code = 50070
    http_status = 500
