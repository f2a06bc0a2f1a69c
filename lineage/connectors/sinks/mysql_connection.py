"""A connection to MySQL 8.0 or MariaDB 10.6 and newer: opened anew when lost, its errors ours."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pymysql
from pymysql.constants import CLIENT, ER
from pymysql.cursors import SSCursor

from lineage.connectors.errors import (
    SinkError,
    SinkMismatchError,
    SinkRefusedError,
    SinkUnavailableError,
    TargetInvalidError,
)

_PORT = 3306
_PARAMETERS = frozenset({"unix_socket", "ssl_ca", "ssl_cert", "ssl_key"})
# strict: a value that does not fit is an error; a frozen owner loses its session, and its locks;
# MariaDB ends an idle transaction sooner
_SESSION = (
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', "
    "wait_timeout = 60, net_write_timeout = 600, lock_wait_timeout = 30 "
    "/*M!100301 , idle_transaction_timeout = 10 */"
)
# of a binary collation without padding, 'a' and 'a ' are two keys; older servers have none
_COLLATIONS = ("utf8mb4_0900_bin", "utf8mb4_nopad_bin")
_CONSTRAINT_FAILED = 4025  # MariaDB's
_REFUSED = frozenset({
    ER.BAD_NULL_ERROR,
    ER.DATA_TOO_LONG,
    ER.DUP_ENTRY,
    ER.ILLEGAL_VALUE_FOR_TYPE,
    ER.TRUNCATED_WRONG_VALUE,
    ER.TRUNCATED_WRONG_VALUE_FOR_FIELD,
    ER.WARN_DATA_OUT_OF_RANGE,
    ER.WARN_DATA_TRUNCATED,
    _CONSTRAINT_FAILED,
})
_MISMATCH = frozenset({
    ER.BAD_FIELD_ERROR,
    ER.BAD_TABLE_ERROR,
    ER.NO_SUCH_TABLE,
    ER.TABLE_EXISTS_ERROR,
    ER.DUP_FIELDNAME,
})
# nothing a later attempt would change
_FAILED = frozenset({
    ER.PARSE_ERROR,
    ER.TOO_BIG_ROWSIZE,
    ER.TOO_LONG_IDENT,
    ER.TOO_LONG_KEY,
    ER.TOO_MANY_FIELDS,
})


class MysqlConnection:
    """One session, used by one thread; a statement that finds it lost opens another."""

    def __init__(self, url: str, timeout: float) -> None:
        parts = urlsplit(url)
        given = dict(parse_qsl(parts.query))
        unknown = sorted(set(given) - _PARAMETERS)
        database = unquote(parts.path.strip("/"))
        if unknown:
            raise TargetInvalidError(
                f"mysql://…: unknown {', '.join(unknown)} (known: {', '.join(sorted(_PARAMETERS))})"
            )
        try:
            port = parts.port or _PORT
        except ValueError as error:
            raise TargetInvalidError(f"mysql://…: {error}") from error
        if not database:
            raise TargetInvalidError("mysql://user:password@host/DATABASE needs a database")
        self._options: dict[str, Any] = {
            "host": unquote(parts.hostname or "localhost"),
            "port": port,
            "user": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "database": database,
            "charset": "utf8mb4",
            "autocommit": True,
            # an update counts the rows that it found, changed or not
            "client_flag": CLIENT.FOUND_ROWS,
            "connect_timeout": int(timeout),
            "init_command": _SESSION,
            **given,
        }
        if "ssl_ca" in given:
            self._options |= {"ssl_verify_cert": True, "ssl_verify_identity": True}
        self._db = self._connect()
        self.most_bytes = int(self.rows("SELECT @@max_allowed_packet")[0][0])
        self.collation = self._collation()

    def _connect(self) -> "pymysql.Connection[Any]":
        db = pymysql.connect(**self._options)
        with db.cursor() as cursor:
            # the default, REPEATABLE READ, locks gaps between keys: two workers would collide
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        return db

    def _collation(self) -> str:
        found = self.rows(
            "SELECT collation_name FROM information_schema.collations "
            "WHERE collation_name IN (%s, %s)",
            _COLLATIONS,
        )
        if not found:
            raise TargetInvalidError(
                "mysql://…: this server has no binary collation without padding: "
                "MySQL 8.0 or MariaDB 10.6 is needed"
            )
        return str(found[0][0])

    def wake(self) -> None:
        """Make sure that the session lives; one that the server has ended is opened anew."""
        try:
            self._db.ping(reconnect=False)
        except pymysql.Error:
            self.close()
            self._db = self._connect()

    def close(self) -> None:
        """End the session."""
        if self._db.open:
            self._db.close()

    def run(self, statement: str | bytes, values: Sequence[Any] = ()) -> int:
        """Execute a statement; returns how many rows it found or changed."""
        if isinstance(statement, bytes):
            # a statement made of literals goes as it is
            return int(self._db.query(statement))
        with self._db.cursor() as cursor:
            return int(cursor.execute(statement, values or None))

    def rows(self, statement: str | bytes, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return all that a statement finds."""
        with self._db.cursor() as cursor:
            cursor.execute(statement, values or None)
            return list(cursor.fetchall())

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One transaction."""
        with self.trial():
            yield
            self._db.commit()

    @contextmanager
    def trial(self) -> Iterator[None]:
        """One transaction whose changes are undone, unless it was committed."""
        self._db.begin()
        try:
            yield
        finally:
            try:
                self._db.rollback()
            except pymysql.Error:
                self.close()  # with the session, the server ends its transaction

    def stream(self, statement: str, chunk: int) -> Iterator[tuple[Any, ...]]:
        """Read rows as they come, over a session of its own."""
        db = self._connect()
        try:
            with db.cursor(SSCursor) as cursor:
                cursor.execute(statement)
                while found := cursor.fetchmany(chunk):
                    yield from found
        finally:
            if db.open:
                db.close()


@contextmanager
def mapped() -> Iterator[None]:
    """Raise pymysql's errors as ours: refused, not as left, unreachable, or merely failed."""
    try:
        yield
    except pymysql.Error as error:
        number, text = error.args[0] if error.args else 0, f"{error.args[-1]}" if error.args else ""
        if number in _REFUSED or isinstance(error, pymysql.DataError | pymysql.IntegrityError):
            raise SinkRefusedError(text) from error
        if number in _MISMATCH:
            raise SinkMismatchError(f"{text}: regenerate") from error
        if number in _FAILED or isinstance(error, pymysql.NotSupportedError):
            raise SinkError(text) from error
        raise SinkUnavailableError(text) from error
    except (OSError, RuntimeError) as error:
        # a socket, or cryptography missing for the server's way to check passwords
        raise SinkUnavailableError(str(error)) from error
