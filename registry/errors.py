"""The registry's errors, with Confluent's codes, HTTP statuses and wording.

RegistryError
├── NotFoundError (404): SubjectNotFound 40401, VersionNotFound 40402, SchemaNotFound 40403,
│     SubjectSoftDeleted 40404, SubjectNotSoftDeleted 40405, VersionSoftDeleted 40406,
│     VersionNotSoftDeleted 40407, CompatibilityNotConfigured 40408, ModeNotConfigured 40409,
│     AssociationNotFound 40410
├── ConflictError (409): Incompatible 40901, Association… 40902 to 40905
├── RefusedError (422): SchemaRefused 42201, VersionInvalid 42202, Level- and PolicyInvalid 42203,
│     ModeInvalid 42204, NotPermitted 42205, ReferenceExists 42206, IdMismatch 42207,
│     SubjectInvalid 42208, SchemaTooLarge 42209, RuleSetInvalid 42210, ContextNotEmpty 42211,
│     AssociationInvalid 42212
├── StoreError 50001, StoreTimeoutError 50002
└── ProtocolError: the request itself (400, 404, 405, 406, 413, 415, 500)
"""

from collections.abc import Sequence


class RegistryError(Exception):
    """What the registry refuses or cannot do; the message is what a client reads."""

    error_code = 50001
    http_status = 500

    @property
    def code(self) -> str:
        """The same code as other rooms spell theirs, for the product's own API."""
        return f"registry-{self.error_code}"


class NotFoundError(RegistryError):
    """Something named in the request does not exist."""

    http_status = 404


class ConflictError(RegistryError):
    """The request contradicts what is registered."""

    http_status = 409


class RefusedError(RegistryError):
    """The request is understood and not acceptable."""

    http_status = 422


class SubjectNotFoundError(NotFoundError):
    """No version of the subject is there to be seen."""

    error_code = 40401

    def __init__(self, subject: object) -> None:
        super().__init__(f"Subject '{subject}' not found.")


class VersionNotFoundError(NotFoundError):
    """The subject has no such version."""

    error_code = 40402

    def __init__(self, version: object) -> None:
        super().__init__(f"Version {version} not found.")


class SchemaNotFoundError(NotFoundError):
    """No schema has this id or GUID, or none under the subject equals the one looked up."""

    error_code = 40403

    def __init__(self, identity: object = None) -> None:
        super().__init__("Schema not found" if identity is None else f"Schema {identity} not found")


class SubjectSoftDeletedError(NotFoundError):
    """A second soft delete of a subject."""

    error_code = 40404

    def __init__(self, subject: object) -> None:
        super().__init__(
            f"Subject '{subject}' was soft deleted.Set permanent=true to delete permanently"
        )


class SubjectNotSoftDeletedError(NotFoundError):
    """A hard delete without the soft one before it."""

    error_code = 40405

    def __init__(self, subject: object) -> None:
        super().__init__(
            f"Subject '{subject}' was not deleted first before being permanently deleted"
        )


class VersionSoftDeletedError(NotFoundError):
    """A second soft delete of a version."""

    error_code = 40406

    def __init__(self, subject: object, version: int) -> None:
        super().__init__(
            f"Subject '{subject}' Version {version} was soft deleted."
            "Set permanent=true to delete permanently"
        )


class VersionNotSoftDeletedError(NotFoundError):
    """A hard delete of a version without the soft one before it."""

    error_code = 40407

    def __init__(self, subject: object, version: int) -> None:
        super().__init__(
            f"Subject '{subject}' Version {version} was not deleted "
            "first before being permanently deleted"
        )


class CompatibilityNotConfiguredError(NotFoundError):
    """The subject has no config of its own."""

    error_code = 40408

    def __init__(self, subject: object) -> None:
        super().__init__(
            f"Subject '{subject}' does not have subject-level compatibility configured"
        )


class ModeNotConfiguredError(NotFoundError):
    """The subject has no mode of its own."""

    error_code = 40409

    def __init__(self, subject: object) -> None:
        super().__init__(f"Subject '{subject}' does not have subject-level mode configured")


class AssociationNotFoundError(NotFoundError):
    """The resource has no association."""

    error_code = 40410

    def __init__(self, resource: object) -> None:
        super().__init__(f"No association found for resource '{resource}'")


class IncompatibleError(ConflictError):
    """The schema breaks the subject's compatibility level."""

    error_code = 40901

    def __init__(self, subject: object, details: Sequence[str]) -> None:
        super().__init__(
            "Schema being registered is incompatible with an earlier schema for subject "
            f'"{subject}", details: [{", ".join(details)}]'
        )
        self.details = tuple(details)


class AssociationExistsError(ConflictError):
    """The resource is already bound to another subject for this kind of association."""

    error_code = 40902

    def __init__(self, kind: str, resource: object) -> None:
        super().__init__(
            f"An association of type '{kind}' already exists for resource '{resource}'"
        )


class AssociationFrozenError(ConflictError):
    """A frozen association cannot be changed or removed."""

    error_code = 40903

    def __init__(self, kind: str, subject: object) -> None:
        super().__init__(f"The association of type '{kind}' is frozen for subject '{subject}'")


class SubjectAssociatedError(ConflictError):
    """A strong association has the subject for itself: nothing else binds or deletes it."""

    error_code = 40904

    def __init__(self, subject: object) -> None:
        super().__init__(f"Strong association exists for subject '{subject}'")


class SubjectWeaklyAssociatedError(ConflictError):
    """Weak associations hold the subject: no strong one can be made, nor can it be deleted."""

    error_code = 40905

    def __init__(self, subject: object) -> None:
        super().__init__(f"Associations already exist for subject '{subject}'")


class SchemaRefusedError(RefusedError):
    """The schema, or what it refers to, is invalid."""

    error_code = 42201


class VersionInvalidError(RefusedError):
    """The version in the path is no version."""

    error_code = 42202

    def __init__(self, version: object) -> None:
        super().__init__(
            f"The specified version '{version}' is not a valid version id. Allowed values are "
            'between [1, 2^31-1] and the string "latest"'
        )


class LevelInvalidError(RefusedError):
    """No such compatibility level."""

    error_code = 42203

    def __init__(self) -> None:
        super().__init__(
            "Invalid compatibility level. Valid values are none, backward, forward, full, "
            "backward_transitive, forward_transitive, and full_transitive"
        )


class PolicyInvalidError(RefusedError):
    """No such compatibility policy."""

    error_code = 42203

    def __init__(self) -> None:
        super().__init__("Invalid compatibility policy. Valid values are strict and lenient")


class ModeInvalidError(RefusedError):
    """No such mode, or not at this scope."""

    error_code = 42204

    def __init__(self) -> None:
        super().__init__(
            "Invalid mode. Valid values are READWRITE, READONLY, READONLY_OVERRIDE, IMPORT, "
            "and FORWARD"
        )


class NotPermittedError(RefusedError):
    """The mode of the subject or the context forbids it."""

    error_code = 42205


class ReferenceExistsError(RefusedError):
    """A schema that others refer to cannot be deleted."""

    error_code = 42206

    def __init__(self, subject: object, version: int) -> None:
        super().__init__(
            "One or more references exist to the schema "
            f"{{magic=1,keytype=SCHEMA,subject={subject},version={version}}}."
        )


class IdMismatchError(RefusedError):
    """The schema is registered under another id than the one given."""

    error_code = 42207

    def __init__(self, registered: int, given: int) -> None:
        super().__init__(
            f"Schema already registered with id {registered} instead of input id {given}"
        )


class SubjectInvalidError(RefusedError):
    """The name cannot be a subject's."""

    error_code = 42208

    def __init__(self, subject: object) -> None:
        super().__init__(f"The specified subject '{subject}' is not a valid subject.")


class SchemaTooLargeError(RefusedError):
    """The schema passes a limit that is checked before parsing."""

    error_code = 42209


class RuleSetInvalidError(RefusedError):
    """Metadata or rules that do not have their shape."""

    error_code = 42210


class ContextNotEmptyError(RefusedError):
    """Only a context without subjects can be deleted."""

    error_code = 42211

    def __init__(self, context: str) -> None:
        super().__init__(f"The specified context '{context}' is not empty.")


class AssociationInvalidError(RefusedError):
    """An association that does not have its shape."""

    error_code = 42212


class StoreError(RegistryError):
    """The database cannot be reached or is busy; worth trying again."""

    error_code = 50001
    http_status = 503


class ProtocolError(RegistryError):
    """The request itself: its path, method, body or headers; code and status are one."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.error_code = self.http_status = status
