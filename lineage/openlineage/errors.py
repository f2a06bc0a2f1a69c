"""What can go wrong with OpenLineage events.

OpenLineageError
├── EventInvalidError          not an event as the published schema has it: where, and what
├── EventUnreadableError       no JSON, or no gzip
├── EventTooLargeError         larger than OPENLINEAGE_MAX_EVENT_BYTES
├── KeyWrongError              without the bearer token that is asked for
└── EmissionError              an event was not taken
    ├── ReceiverAwayError      nobody took it: try again later
    └── ReceiverRefusedError   it was refused, and will be again
"""


class OpenLineageError(Exception):
    """An OpenLineage event could not be received or emitted."""

    code = "openlineage-error"
    http_status = 500


class EventInvalidError(OpenLineageError):
    """An event that the published schema does not allow, or that names what cannot be kept."""

    code = "openlineage-event-invalid"
    http_status = 422


class EventUnreadableError(OpenLineageError):
    """A body that is no JSON object."""

    code = "openlineage-event-unreadable"
    http_status = 400


class EventTooLargeError(OpenLineageError):
    """A body larger than is accepted."""

    code = "openlineage-event-too-large"
    http_status = 413


class KeyWrongError(OpenLineageError):
    """The bearer token is missing or another one."""

    code = "openlineage-key-wrong"
    http_status = 401


class EmissionError(OpenLineageError):
    """An event of ours was not taken."""

    code = "openlineage-not-emitted"
    http_status = 502


class ReceiverAwayError(EmissionError):
    """The receiver does not answer, or not now."""

    code = "openlineage-receiver-away"


class ReceiverRefusedError(EmissionError):
    """The receiver refuses the event."""

    code = "openlineage-receiver-refused"
