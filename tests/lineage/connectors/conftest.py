"""Targets of each kind, empty, and sinks open on them."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from lineage.connectors.sinks import open_sink
from lineage.connectors.sinks.contract import Sink
from tests.lineage.connectors.mariadb import Mariadb, absent


@pytest.fixture
def sqlite_target(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'copies' / 'copy.sqlite3'}"


@pytest.fixture
def postgres_target(postgres_url: str) -> Iterator[str]:
    """A database of its own on the session's server."""
    name = f"copy_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_url, autocommit=True) as db:
        db.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    parts = urlsplit(postgres_url)
    yield urlunsplit(parts._replace(path=f"/{name}"))
    with psycopg.connect(postgres_url, autocommit=True) as db:
        db.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def duckdb_target(tmp_path: Path) -> str:
    return f"duckdb:///{tmp_path / 'copies' / 'copy.duckdb'}"


@pytest.fixture
def parquet_target(tmp_path: Path) -> str:
    return f"parquet:///{tmp_path / 'copies' / 'parquet'}"


@pytest.fixture(scope="session")
def mariadb() -> Iterator[Mariadb]:
    """A real MariaDB, shared by the session; its folder is not pytest's, see `postgres_url`."""
    missing = absent()
    if missing:
        pytest.skip(missing)
    with TemporaryDirectory(prefix="insideout-test-mariadb-") as folder:
        server = Mariadb(Path(folder))
        server.make()
        server.start()
        yield server
        server.stop()


@pytest.fixture
def mysql_target(mariadb: Mariadb) -> Iterator[str]:
    """A database of its own on the session's server."""
    name = f"copy_{uuid.uuid4().hex[:12]}"
    mariadb.query(f"CREATE DATABASE {name}", "mysql")
    yield mariadb.url(name)
    mariadb.query(f"DROP DATABASE {name}", "mysql")


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgres", marks=pytest.mark.postgres),
        "duckdb",
        pytest.param("mysql", marks=pytest.mark.mysql),
        "parquet",
    ]
)
def target(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{request.param}_target")
    return url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def base_target(request: pytest.FixtureRequest) -> str:
    """A target that needs no extra, for what is the same whatever the kind."""
    url: str = request.getfixturevalue(f"{request.param}_target")
    return url


@pytest.fixture
def open_target(target: str) -> Iterator[Callable[[], Sink]]:
    """Open as many connections to the target as the test wants."""
    with _opener(target) as open_one:
        yield open_one


@pytest.fixture
def open_base(base_target: str) -> Iterator[Callable[[], Sink]]:
    """The same of a target that needs no extra."""
    with _opener(base_target) as open_one:
        yield open_one


@contextmanager
def _opener(target: str) -> Iterator[Callable[[], Sink]]:
    opened: list[Sink] = []

    def open_one() -> Sink:
        opened.append(open_sink(target))
        return opened[-1]

    yield open_one
    for sink in opened:
        sink.close()


@pytest.fixture
def sink(open_target: Callable[[], Sink]) -> Sink:
    return open_target()
