"""Keys as clients send and get them; what is secret stays out of every repr."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from registry.keys.material import DEFAULT_ALGORITHM
from registry.keys.models import Dek
from registry.naming import SubjectName


@dataclass(frozen=True)
class NewKek:
    """A KEK to create; `deleted` creates it softly deleted, as a copy of another registry's."""

    name: str
    kms_type: str
    kms_key_id: str
    kms_props: Mapping[str, str] = field(default_factory=dict, repr=False)
    doc: str = ""
    shared: bool = False
    deleted: bool = False


@dataclass(frozen=True)
class KekChange:
    """What to change of a KEK; None leaves it as it is."""

    kms_props: Mapping[str, str] | None = field(default=None, repr=False)
    doc: str | None = None
    shared: bool | None = None


@dataclass(frozen=True)
class DekName:
    """Which data keys are meant: those of a subject for an algorithm, under a KEK.

    `context` is where the KEK is; empty: in the subject's own, else in the default one.
    """

    kek: str
    subject: SubjectName
    algorithm: str = DEFAULT_ALGORITHM
    context: str = ""


@dataclass(frozen=True)
class NewDek:
    """A DEK to create; without wrapped material the server makes it, under a shared KEK."""

    version: int = 1
    encrypted_key_material: str = field(default="", repr=False)
    deleted: bool = False


@dataclass(frozen=True)
class OpenDek:
    """A stored DEK, with its raw key material (base64) where the server could unwrap it."""

    row: Dek
    key_material: str | None = field(default=None, repr=False)
