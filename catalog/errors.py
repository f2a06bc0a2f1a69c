"""What can go wrong in the catalog: one tree, mapped to answers at the boundary.

CatalogError
├── ThingMissingError          no such cluster, context, service or topic
├── ClaimMissingError          no claim of that number stands
├── ClaimRefusedError          the actor cannot be claimed, or is recognised already
└── DeclarationInvalidError    a catalog file has complaints; nothing of it was applied
"""

from collections.abc import Sequence
from dataclasses import dataclass


class CatalogError(Exception):
    """The catalog refused or failed a request."""

    code = "catalog-error"
    http_status = 500


class ThingMissingError(CatalogError):
    """The catalog knows no cluster, context, service or topic of that name."""

    code = "not-in-catalog"
    http_status = 404


class ClaimMissingError(CatalogError):
    """No claim of that number stands: there never was one, or it has ended."""

    code = "claim-not-standing"
    http_status = 404


class ClaimRefusedError(CatalogError):
    """The actor is recognised as a service already, or is of a kind that no pattern names."""

    code = "claim-refused"
    http_status = 409


@dataclass(frozen=True, order=True)
class Place:
    """A line of a catalog file, counted from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, order=True)
class Complaint:
    """What is wrong at one line of a catalog file."""

    place: Place
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class DeclarationInvalidError(CatalogError):
    """A catalog file cannot be applied; each complaint names its line."""

    code = "declaration-invalid"
    http_status = 422

    def __init__(self, complaints: Sequence[Complaint]) -> None:
        self.complaints = tuple(sorted(set(complaints)))
        super().__init__("\n".join(str(complaint) for complaint in self.complaints))
