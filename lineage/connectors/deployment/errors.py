"""What can go wrong between a copy and Kafka Connect.

ConnectorError
├── EngineMismatchError      what was asked belongs to the other engine
├── NotRenderableError       Kafka Connect has no way to keep the copy as declared
├── DeploymentMissingError   the copy is not deployed
├── ConnectUnsetError        no Kafka Connect is known, or it is not said which one
├── ConnectUnavailableError  Kafka Connect does not answer: try again later
└── ConnectRefusedError      Kafka Connect refuses: by field, where it says so
"""

from collections.abc import Mapping

from lineage.connectors.errors import ConnectorError


class EngineMismatchError(ConnectorError):
    """The copy is kept by the other engine."""

    code = "engine-mismatch"
    http_status = 409


class NotRenderableError(ConnectorError):
    """The definition asks for what the Debezium JDBC sink cannot do."""

    code = "connect-not-renderable"
    http_status = 422


class DeploymentMissingError(ConnectorError):
    """The copy is not deployed on any Kafka Connect."""

    code = "deployment-not-found"
    http_status = 404


class ConnectUnsetError(ConnectorError):
    """KAFKA_CONNECT_URLS names none that fits, or several."""

    code = "connect-unset"
    http_status = 409


class ConnectUnavailableError(ConnectorError):
    """Kafka Connect cannot be reached, or is busy with a rebalance."""

    code = "connect-unavailable"
    http_status = 503


class ConnectRefusedError(ConnectorError):
    """Kafka Connect refused; `errors` holds what it said of each field."""

    code = "connect-refused"
    http_status = 422

    def __init__(self, message: str, errors: Mapping[str, list[str]] | None = None) -> None:
        """Say what it said, and of which fields."""
        super().__init__(message)
        self.errors = dict(errors or {})
