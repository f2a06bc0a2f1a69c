"""What proves that the database is as it was: one cheap read, equal as long as nobody committed.

SQLite counts other connections' commits (`PRAGMA data_version`); PostgreSQL shows which
transactions a statement sees (`pg_current_snapshot()`): equal ones see equal rows.
"""

import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import Any

from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

Token = tuple[int, object]
"""Opaque. Equal ones were taken with no commit in between, by any process."""


class Witness:
    """Takes tokens through a connection of its own, which writes nothing; safe among threads."""

    def __init__(self, database: BaseDatabaseWrapper | None = None) -> None:
        """Watch the default database, or another."""
        self._database = database
        self._lock = Lock()
        self._read: Callable[[], object] | None = None
        self._close: Callable[[], None] = lambda: None
        # counts of two connections say nothing of each other
        self._opened = 0

    def token(self) -> Token | None:
        """The token of now; None while the database is away, or when it cannot tell."""
        with self._lock:
            try:
                if self._read is None:
                    self._open()
                return None if self._read is None else (self._opened, self._read())
            except (DatabaseError, sqlite3.Error, OSError, self._driver_error()):
                self._drop()
                return None

    def close(self) -> None:
        """Let go of the connection; the next token opens another."""
        with self._lock:
            self._drop()

    def _open(self) -> None:
        self._opened += 1
        database = self._database or connections["default"]
        if database.vendor == "sqlite":
            self._open_sqlite(str(database.settings_dict["NAME"]))
        elif database.vendor == "postgresql":
            self._open_postgresql(database)

    def _open_sqlite(self, name: str) -> None:
        if ":memory:" in name or name.startswith("file:"):
            return
        opened = sqlite3.connect(f"file:{_escape(name)}?mode=rw", uri=True, check_same_thread=False)
        self._close = opened.close
        cursor = opened.cursor()

        def read() -> object:
            # a file put in its place counts for itself
            found = os.stat(name)  # noqa: PTH116  (each request pays for it)
            version = cursor.execute("PRAGMA data_version").fetchone()
            return version, found.st_ino, found.st_dev

        self._read = read

    def _open_postgresql(self, database: Any) -> None:
        opened = database.get_new_connection(database.get_connection_params())
        self._close = opened.close
        opened.autocommit = True
        # nothing is prepared: poolers hand each statement to another session
        opened.prepare_threshold = None
        cursor = opened.cursor()
        self._read = lambda: cursor.execute("SELECT pg_current_snapshot()::text").fetchone()

    def _drop(self) -> None:
        with suppress(sqlite3.Error, self._driver_error()):
            self._close()
        self._read, self._close = None, lambda: None

    def _driver_error(self) -> type[Exception]:
        database: Any = self._database or connections["default"]
        error: type[Exception] = database.Database.Error
        return error


def _escape(name: str) -> str:
    return name.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
