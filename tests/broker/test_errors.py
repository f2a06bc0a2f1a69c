"""Both libraries' errors become ours."""

import pytest
from confluent_kafka import KafkaError, KafkaException
from kafka import errors as kafka_python

from broker.errors import (
    AccessDeniedError,
    BrokerError,
    BrokerTimeoutError,
    BrokerUnavailableError,
    TopicMissingError,
    translated,
)


@pytest.mark.parametrize(
    ("raised", "ours"),
    [
        (KafkaException(KafkaError(KafkaError._TRANSPORT)), BrokerUnavailableError),
        (KafkaException(KafkaError(KafkaError._TIMED_OUT)), BrokerTimeoutError),
        (KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)), TopicMissingError),
        (KafkaException(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)), AccessDeniedError),
        (KafkaException(KafkaError(KafkaError.INVALID_CONFIG)), BrokerError),
        (kafka_python.KafkaConnectionError("away"), BrokerUnavailableError),
        (kafka_python.KafkaTimeoutError("late"), BrokerTimeoutError),
        (kafka_python.UnknownTopicOrPartitionError("none"), TopicMissingError),
        (kafka_python.GroupAuthorizationFailedError("no"), AccessDeniedError),
        (kafka_python.InvalidConfigurationError("bad"), BrokerError),
    ],
)
def test_translation(raised: Exception, ours: type[BrokerError]) -> None:
    with pytest.raises(BrokerError) as caught, translated():
        raise raised
    assert type(caught.value) is ours
    assert caught.value.__cause__ is raised


def test_other_errors_pass() -> None:
    with pytest.raises(ValueError, match="mine"), translated():
        raise ValueError("mine")
