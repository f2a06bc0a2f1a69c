"""The embedded PostgreSQL: made once, resumed with its data."""

from pathlib import Path

import psycopg
import pytest

from config.postgres import EmbeddedPostgres

pytestmark = pytest.mark.postgres


def test_its_data_survive_a_restart(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres")
    reports: list[str] = []
    server.start(reports.append)
    try:
        url = server.ensure_database("copies")
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept (n int)")
            connection.execute("INSERT INTO kept VALUES (7)")
    finally:
        server.stop()
    assert server.pid is None
    assert reports[-1].startswith("ready in")

    server.start()
    try:
        with psycopg.connect(server.ensure_database("copies")) as connection:
            assert connection.execute("SELECT n FROM kept").fetchone() == (7,)
    finally:
        server.stop()


def test_a_password_is_needed(postgres_url: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(postgres_url.replace("insideout:", "insideout:not-"))
