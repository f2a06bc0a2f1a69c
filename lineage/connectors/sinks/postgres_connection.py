"""Connections to PostgreSQL, what is done on one beside a sink's own, and errors as ours."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any

import psycopg
from psycopg import sql
from psycopg.errors import (
    DataError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
)

from lineage.connectors.errors import (
    SinkError,
    SinkMismatchError,
    SinkRefusedError,
    SinkUnavailableError,
)
from lineage.connectors.sinks.postgres_staging import listed, named

_TIMEOUT = 10.0
# of the 63 bytes that a name has, what a suffix leaves
_NAME = 50


def connected(url: str, timeout: float = _TIMEOUT) -> psycopg.Connection[Any]:
    """Connect to `postgresql://…`, a libpq URL."""
    return psycopg.connect(
        url,
        autocommit=True,
        connect_timeout=int(timeout),
        application_name="insideout",
        # a frozen owner must not keep its rows locked: its fence has fallen anyway
        options="-c idle_in_transaction_session_timeout=10s -c lock_timeout=30s "
        "-c client_min_messages=warning",
    )


@contextmanager
def index_beside(url: str, table: str, key: Sequence[str]) -> Iterator[Callable[[], str]]:
    """Build a unique index and ANALYZE meanwhile; yields what waits for it and tells its name.

    Readers are not kept waiting, and the build is cancelled where the body fails. Where the server
    has no connection to spare, there is no index, and its name is empty.
    """
    beside = _spare(url)
    if beside is None:
        yield str
        return
    with beside, ThreadPoolExecutor(1, "index") as thread:
        built = thread.submit(_index, beside, table, key)
        try:
            yield built.result
        except BaseException:
            beside.cancel_safe()
            raise


def _spare(url: str) -> psycopg.Connection[Any] | None:
    with suppress(OperationalError):
        return connected(url)
    return None


def _index(db: psycopg.Connection[Any], table: str, key: Sequence[str]) -> str:
    name = _free_name(db, table)
    db.execute(
        sql.SQL("CREATE UNIQUE INDEX {} ON {} ({})").format(
            sql.Identifier(name), sql.Identifier(table), listed(key)
        )
    )
    db.execute(named("ANALYZE {table}", table=table))
    return name


def _free_name(db: psycopg.Connection[Any], table: str) -> str:
    """Name the index as PostgreSQL would: those of tables renamed since keep their names."""
    short = table.encode()[:_NAME].decode(errors="ignore")
    names = (f"{short}_pkey{number or ''}" for number in count())
    return next(
        name
        for name in names
        if db.execute("SELECT to_regclass(%s) IS NULL", (f'"{name}"',)).fetchone() == (True,)
    )


@contextmanager
def mapped() -> Iterator[None]:
    """Raise psycopg's errors as ours: refused, not as left, unreachable, or merely failed."""
    try:
        yield
    except (DataError, IntegrityError) as error:
        raise SinkRefusedError(_first_line(error)) from error
    except (
        psycopg.errors.UndefinedTable,
        psycopg.errors.UndefinedColumn,
        psycopg.errors.DatatypeMismatch,
        psycopg.errors.DuplicateTable,
        psycopg.errors.InvalidColumnReference,
    ) as error:
        raise SinkMismatchError(f"{_first_line(error)}: regenerate") from error
    except ProgrammingError as error:
        raise SinkError(_first_line(error)) from error
    except (OperationalError, InterfaceError, psycopg.errors.InternalError) as error:
        raise SinkUnavailableError(_first_line(error)) from error
    except psycopg.Error as error:
        raise SinkError(_first_line(error)) from error


def _first_line(error: psycopg.Error) -> str:
    return str(error).strip().split("\n", 1)[0]
