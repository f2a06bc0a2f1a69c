"""What can go wrong when lineage is asked for or observed.

LineageError
├── NodeMissingError        nothing in the ledger has this name
├── InstantInvalidError     an `as_of` that is no instant
└── SampleInProgressError   a sample is being taken already
"""


class LineageError(Exception):
    """Lineage could not be answered or observed."""

    code = "lineage-error"
    http_status = 500


class NodeMissingError(LineageError):
    """Nothing that was ever observed has this name."""

    code = "lineage-node-not-found"
    http_status = 404


class InstantInvalidError(LineageError):
    """A point in time that cannot be read; ISO 8601 is expected."""

    code = "instant-invalid"
    http_status = 400


class SampleInProgressError(LineageError):
    """One sample at a time: one is being taken."""

    code = "sample-in-progress"
    http_status = 409
