"""What can go wrong with a copy.

ConnectorError
├── ConnectorMissingError      no connector has this name
├── RunMissingError            no run has this id
├── AuditMissingError          no audit of the connector has this id
├── DefinitionInvalidError     a declaration that cannot be used: which key, and why
├── TargetInvalidError         a target URL that cannot be used
│   └── TargetUnsetError       it needs a variable or a package that is not there
├── KeptByConnectError         Kafka Connect keeps the copy, and cannot do this
├── RunInProgressError         the connector has a run already
├── NothingRetiredError        there is no generation to go back to
├── QuarantineMissingError     a record that was not left out cannot be tried again
├── FutureInstantError         a table as of an instant that has not come yet
├── TableMissingError          no table as of a time has this name
├── ScheduleInvalidError       neither an interval nor cron
├── RunEndedError              the run is over: nothing is left to cancel
├── RunCancelledError          somebody asked the run to stop
├── LogIncompleteError         the log no longer holds what the copy is made of
├── TopicRecreatedError        the topic was deleted and made anew
├── SchemaChangedError         a schema that does not fit the table: regenerate
├── CopyDivergedError          what the table holds is not what the log says
├── PoisonRecordError          one record that cannot be read
└── SinkError                  the target database
    ├── SinkUnavailableError   it does not answer: try again later
    ├── SinkRefusedError       it refuses a value
    ├── SinkMismatchError      its tables are not what the connector left there
    └── FencedError            another owner has written since
"""


class ConnectorError(Exception):
    """A connector could not do what was asked."""

    code = "connector-error"
    http_status = 500


class ConnectorMissingError(ConnectorError):
    """No connector has this name."""

    code = "connector-not-found"
    http_status = 404


class RunMissingError(ConnectorError):
    """No run has this id."""

    code = "run-not-found"
    http_status = 404


class AuditMissingError(ConnectorError):
    """No audit of the connector has this id."""

    code = "audit-not-found"
    http_status = 404


class DefinitionInvalidError(ConnectorError):
    """A declaration of a connector that cannot be used."""

    code = "connector-definition-invalid"
    http_status = 422

    def __init__(self, message: str, *path: str) -> None:
        """Say what is wrong, and at which key."""
        super().__init__(message)
        self.path = path
        self.faults: tuple[DefinitionInvalidError, ...] = (self,)

    @classmethod
    def of_all(cls, faults: "list[DefinitionInvalidError]") -> "DefinitionInvalidError":
        """Return one error that tells of all of these."""
        error = cls("; ".join(str(fault) for fault in faults), *faults[0].path)
        error.faults = tuple(faults)
        return error


class TargetInvalidError(ConnectorError):
    """A target URL that cannot be used; the message never holds its password."""

    code = "connector-target-invalid"
    http_status = 422


class TargetUnsetError(TargetInvalidError):
    """A target that needs a variable or a package missing where it is used; elsewhere it may be."""

    code = "connector-target-unset"


class KeptByConnectError(ConnectorError):
    """Kafka Connect keeps the copy, and has no way to do what was asked."""

    code = "kept-by-connect"
    http_status = 409


class RunInProgressError(ConnectorError):
    """One run at a time: the connector has one already."""

    code = "run-in-progress"
    http_status = 409


class NothingRetiredError(ConnectorError):
    """The copy keeps no generation before the live one."""

    code = "nothing-retired"
    http_status = 409


class QuarantineMissingError(ConnectorError):
    """A record that was not left out, or not any more: there is nothing to try again."""

    code = "quarantine-missing"
    http_status = 404


class FutureInstantError(ConnectorError):
    """The log up to an instant that has not come yet is not known."""

    code = "instant-in-future"
    http_status = 422


class TableMissingError(ConnectorError):
    """The connector has no table as of a time of this name, or not any more."""

    code = "table-not-found"
    http_status = 404


class ScheduleInvalidError(ConnectorError):
    """A schedule that is neither an interval nor cron's five fields."""

    code = "schedule-invalid"
    http_status = 422


class RunEndedError(ConnectorError):
    """The run is over: nothing is left to cancel."""

    code = "run-ended"
    http_status = 409


class RunCancelledError(ConnectorError):
    """Somebody asked the run to stop."""

    code = "run-cancelled"
    http_status = 409


class LogIncompleteError(ConnectorError):
    """Records that the copy is made of are no longer in the log."""

    code = "log-incomplete"
    http_status = 409


class TopicRecreatedError(ConnectorError):
    """The topic was deleted and made anew (KIP-516): the copy's offsets mean other records."""

    code = "topic-recreated"
    http_status = 409


class SchemaChangedError(ConnectorError):
    """A schema changed in a way that cannot be made in place: the copy must be regenerated."""

    code = "schema-changed"
    http_status = 409


class CopyDivergedError(ConnectorError):
    """The table read back is not the fold of the log."""

    code = "copy-diverged"
    http_status = 409


class PoisonRecordError(ConnectorError):
    """One record that cannot be read, ever; it belongs into quarantine."""

    code = "record-unreadable"
    http_status = 422


class SinkError(ConnectorError):
    """The target database failed."""

    code = "sink-error"
    http_status = 502


class SinkUnavailableError(SinkError):
    """The target database does not answer, or is too busy; later it may."""

    code = "sink-unavailable"
    http_status = 503


class SinkRefusedError(SinkError):
    """The target database refuses a value of a row."""

    code = "sink-refused"
    http_status = 422


class SinkMismatchError(SinkError):
    """A table of the copy is missing, or is not as the connector left it."""

    code = "sink-mismatch"
    http_status = 409


class FencedError(SinkError):
    """Offset, epoch or generation in the target moved on: another owner has written."""

    code = "fenced"
    http_status = 409
