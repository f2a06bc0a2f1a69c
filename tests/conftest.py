"""Real servers, started once a session and only when a test asks for one."""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings

from broker.connection import Connection
from broker.embedded import EmbeddedKafka
from config.postgres import EmbeddedPostgres

# the same examples for everybody, so that a change is red for what it changed; `searching` draws
# new ones each time
settings.register_profile("repeatable", derandomize=True)
settings.register_profile("searching", derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """A real Apache Kafka, shared by the session: name topics and groups uniquely."""
    broker = EmbeddedKafka(tmp_path_factory.mktemp("kafka"))
    broker.start()
    yield broker.connection
    broker.stop()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a real PostgreSQL, shared by the session.

    Its folder is not pytest's: each pytest that starts closes the folder they all share to other
    users, and PostgreSQL is one when root runs the tests.
    """
    with TemporaryDirectory(prefix="insideout-test-postgres-") as folder:
        server = EmbeddedPostgres(Path(folder))
        server.start()
        yield server.url()
        server.stop()
