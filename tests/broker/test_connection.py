"""One description of a cluster, in the words of both libraries."""

import pytest

from broker.connection import Connection
from broker.errors import SecuritySettingError


def test_both_libraries_get_the_same_security() -> None:
    connection = Connection(
        "a:9092,b:9092", {"security.protocol": "SASL_SSL", "sasl.password": "secret"}
    )
    confluent = connection.confluent(group_id="g")
    assert confluent["bootstrap.servers"] == "a:9092,b:9092"
    assert confluent["sasl.password"] == "secret"
    assert confluent["group.id"] == "g"
    python = connection.kafka_python(client_id="me")
    assert python["bootstrap_servers"] == ["a:9092", "b:9092"]
    assert python["sasl_plain_password"] == "secret"
    assert python["client_id"] == "me"


@pytest.mark.parametrize("name", ["plugin.library.paths", "sasl.oauthbearer.config", "log_cb"])
def test_settings_that_could_load_code_are_refused(name: str) -> None:
    with pytest.raises(SecuritySettingError, match=name):
        Connection("a:9092", {name: "x"})


def test_its_text_holds_no_secret() -> None:
    assert "secret" not in repr(Connection("a:9092", {"sasl.password": "secret"}))


def test_addresses() -> None:
    connection = Connection("a:1, b ,[::1]:3")
    assert connection.addresses == [("a", 1), ("b", 9092), ("::1", 3)]
