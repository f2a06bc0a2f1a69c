"""A real MariaDB server, where its programs are installed (Debian: mariadb-server)."""

import os
import pwd
import shutil
import subprocess
import time
from pathlib import Path

import pymysql

from tests.ports import free_port

_START_SECONDS = 60.0
_UNPRIVILEGED = ("mysql", "nobody")


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def absent() -> str:
    """Say what is missing to run the server here; empty when nothing is."""
    missing = [name for name in ("mariadbd", "mariadb-install-db") if _program(name) is None]
    return f"{' and '.join(missing)} not installed (mariadb-server)" if missing else ""


def _user() -> str | None:
    """MariaDB refuses to run as root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in _UNPRIVILEGED if name in known)


class Mariadb:
    """One server whose data are in `folder`, listening on 127.0.0.1."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        user = _user()
        self._common = ["--no-defaults", f"--datadir={folder / 'data'}"]
        if user:
            self._common.append(f"--user={user}")
            folder.chmod(0o755)
            shutil.chown(folder, user)

    def url(self, database: str) -> str:
        """Return the address of one of its databases."""
        return f"mysql://copier:hush%40%2F@127.0.0.1:{self._port}/{database}"

    def make(self) -> None:
        """Make its data folder."""
        program = _program("mariadb-install-db")
        assert program
        done = subprocess.run(
            [
                program,
                *self._common,
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                "--skip-name-resolve",
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
        )
        assert done.returncode == 0, done.stdout + done.stderr
        setup = self._folder / "setup.sql"
        setup.write_text(
            "CREATE OR REPLACE USER copier@'127.0.0.1' IDENTIFIED BY 'hush@/';\n"
            "GRANT ALL ON *.* TO copier@'127.0.0.1';\n"
        )
        self._common.append(f"--init-file={setup}")

    def start(self) -> None:
        """Start, and return when it answers."""
        program = _program("mariadbd")
        assert program
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    program,
                    *self._common,
                    f"--port={self._port}",
                    f"--socket={self._folder / 'socket'}",
                    f"--pid-file={self._folder / 'pid'}",
                    "--bind-address=127.0.0.1",
                    "--skip-name-resolve",
                    "--innodb-buffer-pool-size=64M",
                    "--innodb-log-file-size=16M",
                    "--performance-schema=OFF",
                ],
                stdout=log,
                stderr=log,
                cwd="/",
            )
        end = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                self.stop(kill=True)
                raise AssertionError(self.said())
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            self.query("SELECT 1", "mysql")
        except pymysql.OperationalError:
            return False
        return True

    def said(self) -> str:
        """Return the server's log."""
        return (self._folder / "server.log").read_text()

    def query(self, statement: str, database: str) -> None:
        """Execute a statement."""
        db = pymysql.connect(
            host="127.0.0.1",
            port=self._port,
            user="copier",
            password="hush@/",
            database=database,
            autocommit=True,
        )
        with db, db.cursor() as cursor:
            cursor.execute(statement)

    def stop(self, *, kill: bool = False) -> None:
        """Stop it, or kill it."""
        if self._process is not None:
            (self._process.kill if kill else self._process.terminate)()
            self._process.wait()
            self._process = None
