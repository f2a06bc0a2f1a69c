"""A folder of Parquet tables whose whole state changes by one rename of a link.

    FOLDER/orders                        → .insideout/state/orders, for readers; it never changes
    FOLDER/.insideout/state              → v42: moving this link is the commit
    FOLDER/.insideout/v42/manifest.json  tables and their files, generations, offsets, epochs
    FOLDER/.insideout/v42/orders         → ../tables/5f0c…
    FOLDER/.insideout/tables/5f0c…/      a table as of one commit: files, never changed

A commit writes a version beside the one in place, flushes it to disk, and moves the link: after a
crash at any instruction the link names a whole version, rows and offsets together. What is replaced
is kept for `keep` seconds, for those who read it. Files that a table keeps are hard links.
"""

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from lineage.connectors.columns import Layout
from lineage.connectors.errors import SinkMismatchError, SinkUnavailableError

_PAUSE = 0.01
# a folder that no version names belongs to a load that goes on, or to one that died
_ABANDONED_SECONDS = 86_400.0


@dataclass(frozen=True)
class DataFile:
    """One Parquet file; `ranges` tells lowest and highest key behind each prefix, where known."""

    name: str
    rows: int
    ranges: list[list[Any]] | None = None


@dataclass(frozen=True)
class TableFiles:
    """A table as of one commit: where its files lie, and its columns."""

    folder: str
    layout: Layout
    files: tuple[DataFile, ...]

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return sum(file.rows for file in self.files)

    def dump(self) -> dict[str, Any]:
        """Return it as the manifest holds it."""
        files = [[file.name, file.rows, file.ranges] for file in self.files]
        return {"folder": self.folder, "layout": self.layout.dump(), "files": files}

    @classmethod
    def load(cls, read: dict[str, Any]) -> "TableFiles":
        """Return what `dump` made."""
        files = tuple(DataFile(*file) for file in read["files"])
        return cls(read["folder"], Layout.load(read["layout"]), files)


@dataclass
class State:
    """One version: tables by name, what is known of connectors, and what may go when it is old."""

    version: int = 0
    tables: dict[str, TableFiles] = field(default_factory=dict)
    connectors: dict[str, dict[str, Any]] = field(default_factory=dict)
    trash: list[tuple[str, float]] = field(default_factory=list)

    def dump(self) -> str:
        """Return the manifest."""
        return json.dumps({
            "version": self.version,
            "tables": {name: table.dump() for name, table in self.tables.items()},
            "connectors": self.connectors,
            "trash": self.trash,
        })

    @classmethod
    def load(cls, text: str) -> "State":
        """Return what a manifest says."""
        read = json.loads(text)
        return cls(
            read["version"],
            {name: TableFiles.load(table) for name, table in read["tables"].items()},
            read["connectors"],
            [(name, since) for name, since in read["trash"]],
        )


def flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Store:
    """The folder, shared with other processes."""

    def __init__(self, folder: Path, timeout: float, keep: float) -> None:
        self.folder = folder
        self._own = folder / ".insideout"
        self._timeout = timeout
        self._keep = keep
        (self._own / "tables").mkdir(parents=True, exist_ok=True)
        self._forget_abandoned()

    # -- reading ----------------------------------------------------------------------------------
    def state(self) -> State:
        """Return the version in place."""
        for _ in range(100):
            try:
                return State.load((self._own / "state" / "manifest.json").read_text())
            except FileNotFoundError:
                if not os.path.lexists(self._own / "state"):
                    return State()
        raise SinkUnavailableError(f"{self._own / 'state'} names no version")

    def place(self, table: TableFiles) -> Path:
        """Return the folder of a table's files."""
        return self._own / "tables" / table.folder

    def holds_foreign(self, table: str) -> bool:
        """Whether something that is not ours has a table's name."""
        path = self.folder / table
        return os.path.lexists(path) and not self._is_ours(path)

    @staticmethod
    def _is_ours(path: Path) -> bool:
        return path.is_symlink() and str(path.readlink()).startswith(".insideout/state/")

    @contextmanager
    def held(self, table: TableFiles) -> Iterator[Path]:
        """Keep a table's files for as long as somebody reads, whatever becomes of the table."""
        own = self.new_folder()
        try:
            for file in table.files:
                os.link(self.place(table) / file.name, own / file.name)
            yield own
        finally:
            shutil.rmtree(own, ignore_errors=True)

    # -- writing ----------------------------------------------------------------------------------
    def new_folder(self) -> Path:
        """Make a folder for a table's files."""
        folder = self._own / "tables" / uuid4().hex
        folder.mkdir()
        return folder

    def seal(self, folder: Path, files: tuple[DataFile, ...]) -> None:
        """Write down what a folder holds, for readers who want one version and no later one."""
        names = [str(folder / file.name) for file in files]
        (folder / "_files.json").write_text(json.dumps({"folder": str(folder), "files": names}))
        flush(folder / "_files.json")
        flush(folder)

    def discard(self, folder: Path) -> None:
        """Remove a folder that did not become part of the version in place."""
        if all(table.folder != folder.name for table in self.state().tables.values()):
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def change(self) -> Iterator[State]:
        """Let the caller change the state, alone; commit unless it raises."""
        with self._alone():
            state = self.state()
            before = {table.folder for table in state.tables.values()}
            yield state
            after = {table.folder for table in state.tables.values()}
            now = time.time()
            state.trash += [(f"tables/{folder}", now) for folder in sorted(before - after)]
            if state.version:
                state.trash.append((f"v{state.version}", now))
            state.version += 1
            old = [
                name for name, since in state.trash if not -self._keep <= now - since < self._keep
            ]
            state.trash = [entry for entry in state.trash if entry[0] not in old]
            self._commit(state)
            for name in old:
                shutil.rmtree(self._own / name, ignore_errors=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        end = time.monotonic() + self._timeout
        with (self._own / "lock").open("a") as lock:
            while not _locked(lock):
                if time.monotonic() > end:
                    raise SinkUnavailableError(
                        f"{self.folder} has been locked for {self._timeout:g} s"
                    )
                time.sleep(_PAUSE)
            yield

    def _commit(self, state: State) -> None:
        version = self._own / f"v{state.version}"
        shutil.rmtree(version, ignore_errors=True)  # of a commit that died
        version.mkdir()
        for name, table in state.tables.items():
            if self.holds_foreign(name):
                raise SinkMismatchError(
                    f"{self.folder / name} is there already, and not of this connector's "
                    "making: rename it"
                )
            (version / name).symlink_to(f"../tables/{table.folder}")
        manifest = version / "manifest.json"
        manifest.write_text(state.dump())
        flush(manifest)
        flush(version)
        link = self._own / f"state.{uuid4().hex}"
        link.symlink_to(version.name)
        link.replace(self._own / "state")
        flush(self._own)
        self._show(state)

    def _show(self, state: State) -> None:
        """Give each table the name under which it is read; take it from those that are gone."""
        for name in state.tables:
            path = self.folder / name
            if not os.path.lexists(path):
                path.symlink_to(f".insideout/state/{name}")
        for path in self.folder.iterdir():
            if path.name not in state.tables and self._is_ours(path):
                path.unlink()

    def repair(self) -> None:
        """Do what a crash right behind a commit may have left undone."""
        with self._alone():
            state = self.state()
            if state.version:
                self._show(state)

    def _forget_abandoned(self) -> None:
        state = self.state()
        known = {table.folder for table in state.tables.values()}
        known |= {name.rpartition("/")[2] for name, _ in state.trash}
        for folder in (self._own / "tables").iterdir():
            try:
                idle = time.time() - folder.stat().st_mtime
            except FileNotFoundError:
                continue
            if folder.name not in known and idle > _ABANDONED_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
