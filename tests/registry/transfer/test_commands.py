"""The commands as one types them: exit codes, what is printed, kills in the middle, PostgreSQL."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from django.core.management import CommandError, call_command, load_command_class

from broker.connection import Connection
from registry.actions import Submission, register
from registry.transfer.entries import Snapshot
from registry.transfer.folder import read_folder, write_folder
from registry.transfer.store import read_store
from tests.registry.transfer.processes import manage, on_new_database
from tests.registry.transfer.samples import avro, empty, entry, essence, fill, snapshot
from tests.serving import serve

ROOT = Path(__file__).parents[3]
SIZE = 2600


def run(*arguments: str) -> tuple[int, str]:
    """The exit code of a command and what it printed on standard output."""
    out = StringIO()
    try:
        call_command(*arguments, stdout=out, stderr=StringIO())
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


@pytest.mark.django_db
def test_a_folder_there_and_back(tmp_path: Path) -> None:
    fill()
    before = essence(read_store())
    assert run("registry_export", "--folder", str(tmp_path)) == (
        0,
        "12 versions, 3 configs, 1 modes: 13 files written\n",
    )
    empty()
    dry = run("registry_import", "--folder", str(tmp_path), "--dry-run")
    assert dry[0] == 0
    counted = "16 created, 0 updated, 0 equal, 0 different, 0 refused"
    assert dry[1].endswith(f": {counted} (dry run: nothing was written)\n")
    assert essence(read_store())["versions"] == []
    first, second = (run("registry_import", "--folder", str(tmp_path)) for _ in range(2))
    assert first[1].endswith(": 16 created, 0 updated, 0 equal, 0 different, 0 refused\n")
    assert second[1].endswith(": 0 created, 0 updated, 16 equal, 0 different, 0 refused\n")
    assert (first[0], second[0]) == (0, 0)
    assert essence(read_store()) == before


@pytest.mark.django_db
def test_what_was_left_out_is_printed_and_the_code_is_1(tmp_path: Path) -> None:
    register("mine", Submission(avro("Mine")))
    moved = snapshot(entry("theirs", 1, 1, avro("Theirs")), entry("good", 1, 2))
    moved.configs["good"] = {"compatibilityLevel": "FULL"}
    write_folder(tmp_path, moved)
    code, printed = run("registry_import", "--folder", str(tmp_path))
    assert code == 1
    assert printed.splitlines() == [
        "refused   theirs version 1: id 1 is held by another schema, mine version 1",
        "2 versions, 1 configs, 0 modes: 2 created, 0 updated, 0 equal, 0 different, 1 refused",
    ]
    moved.configs["good"] = {"compatibilityLevel": "NONE"}
    write_folder(tmp_path, moved)
    code, printed = run("registry_import", "--folder", str(tmp_path))
    assert code == 1
    assert "different config good: compatibilityLevel FULL here, NONE there\n" in printed
    updated = run("registry_import", "--folder", str(tmp_path), "--update")[1]
    assert "updated   config good" in updated


@pytest.mark.kafka
@pytest.mark.django_db
def test_a_topic_there_and_back(kafka: Connection, tmp_path: Path) -> None:
    fill()
    before = essence(read_store())
    topic = f"_schemas-{uuid.uuid4().hex[:10]}"
    security = tmp_path / "client.properties"
    security.write_text("# as Kafka's tools take it\nsecurity.protocol = PLAINTEXT\n")
    place = ("--topic", topic, "--bootstrap", kafka.bootstrap_servers, "--security", str(security))
    # 12 schemas, 1 context, 3 configs, 1 mode, 1 subject deleted, the ids spent
    assert "19 records written" in run("registry_export", *place)[1]
    with pytest.raises(CommandError, match="is not empty; --append"):
        run("registry_export", *place)
    assert run("registry_export", *place, "--append")[0] == 0
    empty()
    assert run("registry_import", *place)[0] == 0
    assert essence(read_store()) == before


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["registry_import"], "one of the arguments url --topic --folder is required"),
        (["registry_export"], "one of the arguments --topic --folder is required"),
        (["registry_import", "http://x", "--topic", "t"], "not allowed with argument"),
        (["registry_import", "--folder", "nowhere"], "cannot be read: No such file"),
        (["registry_import", "ftp://x"], "is not the http:// or https:// address"),
        (["registry_import", "--topic", "t", "--bootstrap", ""], "has to name the cluster"),
        (["registry_import", "http://x", "--credentials", "nowhere"], "nowhere cannot be read"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: list[str], reason: str) -> None:
    with pytest.raises(CommandError, match=re.escape(reason)):
        call_command(*arguments)


def test_a_security_setting_that_could_do_harm_is_refused(tmp_path: Path) -> None:
    security = tmp_path / "client.properties"
    security.write_text("plugin.library.paths=/srv/evil.so\n")
    arguments = ["registry_import", "--topic", "t", "--bootstrap", "127.0.0.1:9"]
    with pytest.raises(CommandError, match=r"not a setting of a connection: plugin\.library"):
        call_command(*arguments, "--security", str(security))


# -- in processes of their own, on databases of their own ------------------------------------------
def large() -> Snapshot:
    """Enough to be killed in the middle."""
    made = Snapshot()
    for number in range(1, SIZE + 1):
        made.add(entry(f"s{number % 500}", number // 500 + 1, number, avro("R", f"f{number}")))
    return made


def test_killed_in_the_middle_and_run_again_all_is_there_once(tmp_path: Path) -> None:
    database = tmp_path / "killed.sqlite3"
    environment = {
        **os.environ,
        "VAR_DIR": str(tmp_path / "var"),
        "DATABASE_URL": f"sqlite:///{database}",
    }
    assert manage(environment, "migrate", "-v0").returncode == 0
    write_folder(tmp_path / "export", large())
    for kills in range(2):
        with importing(environment, tmp_path / "export", tmp_path / "printed") as process:
            wait_until_more(database, kills * 1000 + 200, process)
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
    half = count(database)
    assert 1000 < half < SIZE
    last = manage(environment, "registry_import", "--folder", str(tmp_path / "export"))
    assert last.returncode == 0, last.stderr
    assert f"{SIZE - half} created, 0 updated, {half} equal, 0 different, 0 refused" in last.stdout
    manage(environment, "registry_export", "--folder", str(tmp_path / "again"))
    assert essence(read_folder(tmp_path / "again")) == essence(large())


def test_clients_register_while_an_import_runs(tmp_path: Path) -> None:
    write_folder(tmp_path / "export", large())
    database = tmp_path / "shared.sqlite3"
    with serve(tmp_path, DATABASE_URL=f"sqlite:///{database}") as served:
        environment = dict(served.environment)
        with importing(environment, tmp_path / "export", tmp_path / "printed") as process:
            wait_until_more(database, 100, process)
            given: list[int] = []
            while process.poll() is None and len(given) < 60:
                given.append(register_over_http(served.url, len(given)))
            assert process.wait(120) == 0
    printed = (tmp_path / "printed").read_text()
    assert f"{SIZE} created, 0 updated, 0 equal, 0 different, 0 refused" in printed
    assert given == list(range(SIZE + 1, SIZE + 1 + len(given)))
    assert given


def register_over_http(url: str, number: int) -> int:
    body = json.dumps({"schema": avro("New", f"n{number}")}).encode()
    headers = {"Content-Type": "application/json"}
    request = Request(f"{url}/subjects/new-{number}/versions", body, headers)
    with urlopen(request, timeout=60) as answer:
        return int(json.loads(answer.read())["id"])


@contextmanager
def importing(
    environment: dict[str, str], folder: Path, printed: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A running import, whose output goes to a file; killed at the end if it still runs."""
    command = [sys.executable, str(ROOT / "manage.py"), "registry_import", "--folder", str(folder)]
    with printed.open("wb") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def count(database: Path) -> int:
    connection = sqlite3.connect(database)
    try:
        return int(connection.execute("SELECT count(*) FROM registry_version").fetchone()[0])
    finally:
        connection.close()


def wait_until_more(database: Path, least: int, process: subprocess.Popen[bytes]) -> None:
    printed = database.parent / "printed"
    end = time.monotonic() + 90
    while count(database) <= least:
        assert process.poll() is None, printed.read_text()
        assert time.monotonic() < end, printed.read_text()
        time.sleep(0.02)


@pytest.mark.postgres
def test_postgresql_takes_and_gives_the_same(postgres_url: str, tmp_path: Path) -> None:
    environment = on_new_database(postgres_url, tmp_path)
    moved = snapshot(
        entry("orders", 1, 7, registered_by="anna"),
        entry("orders", 3, 9, deleted=True),
        entry(":.eu:orders", 1, 7, avro("Elsewhere"), metadata={"properties": {"a": "\0"}}),
    )
    moved.configs["orders"] = {"compatibilityLevel": "FULL"}
    moved.modes[":.eu:"] = "IMPORT"
    write_folder(tmp_path / "one", moved)
    for created in (5, 0):
        done = manage(environment, "registry_import", "--folder", str(tmp_path / "one"))
        assert f": {created} created" in done.stdout, done.stderr
    manage(environment, "registry_export", "--folder", str(tmp_path / "two"))
    after = read_folder(tmp_path / "two")
    assert essence(after) == essence(moved)
    assert after.next_ids == moved.next_ids


# -- the guide -------------------------------------------------------------------------------------
def test_the_guide_names_commands_and_options_that_exist() -> None:
    text = (ROOT / "docs/moving.md").read_text()
    used = re.findall(r"manage\.py (registry_\w+)((?: [^\s#`]+)*)", text)
    assert {name for name, _ in used} == {"registry_import", "registry_export"}
    for name, rest in used:
        parser = load_command_class("registry", name).create_parser("manage.py", name)
        parser.parse_args(rest.split())
    for option in set(re.findall(r"`(--[a-z-]+)", text)):
        assert any(
            option
            in load_command_class("registry", name).create_parser("manage.py", name).format_help()
            for name in ("registry_import", "registry_export")
        )
