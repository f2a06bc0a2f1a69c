"""What can go wrong when impact is asked for, or an actor looked for.

LineageError
├── ImpactInvalidError   a question that cannot be answered as it is asked
└── ActorMissingError    nothing observed bears that name in Kafka
"""

from lineage.errors import LineageError


class ImpactInvalidError(LineageError):
    """The question names nothing, or too much, or an unknown kind of change."""

    code = "impact-invalid"
    http_status = 422


class ActorMissingError(LineageError):
    """Nothing that was observed bears that name in Kafka."""

    code = "actor-not-observed"
    http_status = 404
