"""What can go wrong when impact is asked for, or an actor claimed.

LineageError
├── ImpactInvalidError   a question that cannot be answered as it is asked
├── ActorMissingError    no unresolved actor of that kind and name
├── ClaimInvalidError    an actor of a kind that cannot be claimed
└── ClaimMissingError    no standing claim of that number
"""

from lineage.errors import LineageError


class ImpactInvalidError(LineageError):
    """The question names nothing, or too much, or an unknown kind of change."""

    code = "impact-invalid"
    http_status = 400
