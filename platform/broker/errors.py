"""What can go wrong between the product and Kafka: one tree, one place that maps both libraries.

BrokerError
├── BrokerUnavailableError    no broker answers
├── BrokerTimeoutError        a broker answers, too late
├── TopicMissingError         the topic is not there
├── AccessDeniedError         authentication or an ACL says no
├── SecuritySettingError      a security setting that is not on the allow-list
└── EmbeddedKafkaError        the embedded broker cannot be fetched or started
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import KafkaError, KafkaException


class BrokerError(Exception):
    """Kafka refused or failed a request."""

    code = "broker-error"
    http_status = 502


class BrokerUnavailableError(BrokerError):
    """No broker of the cluster can be reached."""

    code = "broker-unavailable"
    http_status = 503


class BrokerTimeoutError(BrokerError):
    """The cluster is reachable, yet did not answer in time."""

    code = "broker-timeout"
    http_status = 504


class TopicMissingError(BrokerError):
    """The topic, or the partition, does not exist."""

    code = "topic-missing"
    http_status = 404


class AccessDeniedError(BrokerError):
    """The cluster does not know us, or an ACL forbids the request."""

    code = "broker-access-denied"
    http_status = 403


class SecuritySettingError(BrokerError):
    """A security setting that a connection may not carry."""

    code = "security-setting-invalid"
    http_status = 422


class EmbeddedKafkaError(BrokerError):
    """The embedded broker could not be fetched, formatted or started."""

    code = "embedded-kafka"
    http_status = 500


_BY_CODE: dict[int, type[BrokerError]] = {
    KafkaError._TRANSPORT: BrokerUnavailableError,  # noqa: SLF001  (librdkafka's public constant)
    KafkaError._ALL_BROKERS_DOWN: BrokerUnavailableError,  # noqa: SLF001
    KafkaError._RESOLVE: BrokerUnavailableError,  # noqa: SLF001
    KafkaError.BROKER_NOT_AVAILABLE: BrokerUnavailableError,
    KafkaError._TIMED_OUT: BrokerTimeoutError,  # noqa: SLF001
    KafkaError.REQUEST_TIMED_OUT: BrokerTimeoutError,
    KafkaError._UNKNOWN_TOPIC: TopicMissingError,  # noqa: SLF001
    KafkaError._UNKNOWN_PARTITION: TopicMissingError,  # noqa: SLF001
    KafkaError.UNKNOWN_TOPIC_OR_PART: TopicMissingError,
    KafkaError._AUTHENTICATION: AccessDeniedError,  # noqa: SLF001
    KafkaError.SASL_AUTHENTICATION_FAILED: AccessDeniedError,
    KafkaError.TOPIC_AUTHORIZATION_FAILED: AccessDeniedError,
    KafkaError.GROUP_AUTHORIZATION_FAILED: AccessDeniedError,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: AccessDeniedError,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: AccessDeniedError,
}

# kafka-python's by name, so that this module costs nothing where only confluent-kafka is in use
_BY_NAME: dict[str, type[BrokerError]] = {
    "KafkaConnectionError": BrokerUnavailableError,
    "BrokerNotAvailableError": BrokerUnavailableError,
    "KafkaTimeoutError": BrokerTimeoutError,
    "RequestTimedOutError": BrokerTimeoutError,
    "UnknownTopicOrPartitionError": TopicMissingError,
    "UnknownTopicIdError": TopicMissingError,
    "AuthorizationError": AccessDeniedError,
    "SaslAuthenticationFailedError": AccessDeniedError,
}


def _foreign_errors() -> tuple[type[Exception], ...]:
    """Return what the libraries raise; kafka-python's only once somebody imported that."""
    loaded = sys.modules.get("kafka.errors")
    return (KafkaException,) if loaded is None else (KafkaException, loaded.KafkaError)


def translate(error: Exception) -> BrokerError:
    """Return our error for a Kafka library's own."""
    inner = error.args[0] if isinstance(error, KafkaException) else error
    if isinstance(inner, KafkaError):
        return _BY_CODE.get(inner.code(), BrokerError)(inner.str())
    for kind in type(error).__mro__:
        if kind.__name__ in _BY_NAME:
            return _BY_NAME[kind.__name__](str(error))
    return BrokerError(str(error))


@contextmanager
def translated() -> Iterator[None]:
    """Raise either library's errors inside the block as ours."""
    try:
        yield
    except _foreign_errors() as error:
        raise translate(error) from error
