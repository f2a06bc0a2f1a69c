"""Real servers, started once a session and only when a test asks for one."""

from collections.abc import Iterator

import pytest

from broker.connection import Connection
from broker.embedded import EmbeddedKafka
from config.postgres import EmbeddedPostgres


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """A real Apache Kafka, shared by the session: name topics and groups uniquely."""
    broker = EmbeddedKafka(tmp_path_factory.mktemp("kafka"))
    broker.start()
    yield broker.connection
    broker.stop()


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real PostgreSQL, shared by the session."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"))
    server.start()
    yield server.url()
    server.stop()
