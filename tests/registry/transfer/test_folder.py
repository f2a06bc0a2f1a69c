"""A folder of files holds a registry exactly, and never writes or reads outside of itself."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.naming import SubjectName
from registry.transfer.apply import import_snapshot
from registry.transfer.entries import Snapshot
from registry.transfer.errors import FolderError
from registry.transfer.folder import MANIFEST, read_folder, write_folder
from registry.transfer.store import read_store
from tests.registry.transfer.samples import avro, empty, entry, essence, fill, snapshot


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


@pytest.mark.django_db
def test_out_and_in_and_out_is_the_same_to_the_byte(tmp_path: Path) -> None:
    fill()
    written = write_folder(tmp_path / "one", read_store())
    empty()
    assert import_snapshot(read_folder(tmp_path / "one")).clean
    write_folder(tmp_path / "two", read_store())
    assert files_in(tmp_path / "one") == files_in(tmp_path / "two")
    assert len(files_in(tmp_path / "one")) == written == 13


def test_texts_lie_where_one_looks_for_them(tmp_path: Path) -> None:
    proto = 'syntax = "proto3";\n'
    write_folder(
        tmp_path,
        snapshot(
            entry("orders", 1, 1),
            entry("orders", 2, 2, "{}", format="JSON"),
            entry(":.eu:a/b", 1, 3, proto, format="PROTOBUF"),
        ),
    )
    texts = files_in(tmp_path)
    assert texts["subjects/orders/1.avsc"] == avro("R1").encode()
    assert texts["subjects/orders/2.json"] == b"{}"
    assert texts["contexts/eu/subjects/a%2Fb/1.proto"] == proto.encode()


_names = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=200) | st.sampled_from([
    "",
    ".",
    "..",
    "../x",
    "/etc",
    "A",
    "a",
    "con",
    "~",
    "x" * 599,
    "é" * 300,
    " ",
])
_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(_names, st.sampled_from([".", ".eu", ".Eu"]), _texts), max_size=8))
def test_any_names_and_texts_come_back(
    tmp_path_factory: pytest.TempPathFactory, named: list[tuple[str, str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("export")
    before = Snapshot()
    known = set()
    for number, (name, context, text) in enumerate(named):
        subject = SubjectName(context, name)
        if subject in known or subject != SubjectName.read(str(subject)) or not subject.is_valid:
            continue
        known.add(subject)
        if text.strip():
            before.add(entry(str(subject), 1, number, text))
    write_folder(folder, before)
    after = read_folder(folder)
    assert essence(after) == essence(before)
    assert after.next_ids == before.next_ids


def test_names_that_differ_by_case_alone_have_different_folders(tmp_path: Path) -> None:
    write_folder(tmp_path, snapshot(entry("Orders", 1, 1), entry("orders", 1, 2)))
    assert len({name.casefold() for name in files_in(tmp_path)}) == 3


def test_an_earlier_export_is_replaced_and_its_rest_removed(tmp_path: Path) -> None:
    write_folder(tmp_path, snapshot(entry("a", 1, 1), entry("b", 1, 2)))
    write_folder(tmp_path, snapshot(entry("a", 1, 1), entry("c", 1, 3)))
    assert list(files_in(tmp_path)) == [MANIFEST, "subjects/a/1.avsc", "subjects/c/1.avsc"]


def test_other_peoples_files_are_not_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(FolderError, match=r"holds other files than an export: thesis\.txt"):
        write_folder(tmp_path, snapshot(entry("a", 1, 1)))
    assert list(files_in(tmp_path)) == ["thesis.txt"]


def test_a_manifest_cannot_lead_outside(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text('"string"')
    folder = tmp_path / "export"
    write_folder(folder, snapshot(entry("a", 1, 1)))
    (folder / "link").symlink_to(tmp_path / "secret")
    for file in ("../secret", str(tmp_path / "secret"), "link", "a\0b", 7, None):
        change(folder, file=file)
        found = read_folder(folder)
        assert found.versions == []
        assert len(found.problems) == 1
    change(folder, file="../secret")
    write_folder(folder, Snapshot())
    assert (tmp_path / "secret").exists()


def change(folder: Path, **fields: Any) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["versions"][0] |= fields
    (folder / MANIFEST).write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"file": "missing.avsc"}, "missing.avsc cannot be read: No such file"),
        ({"file": "."}, "cannot be read"),
        ({"version": "1"}, "version is not a number"),
        ({"subject": "__EMPTY"}, "not a valid subject"),
    ],
)
def test_an_entry_that_cannot_be_read_is_told(
    tmp_path: Path, fields: dict[str, Any], reason: str
) -> None:
    write_folder(tmp_path, snapshot(entry("a", 1, 1), entry("b", 1, 2)))
    change(tmp_path, **fields)
    found = read_folder(tmp_path)
    assert [str(each) for each in found.versions] == ["b version 1"]
    (problem,) = found.problems
    assert reason in problem.reason
    assert problem.where == "manifest.json, versions[0]"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "cannot be read: No such file"),
        (b"\xff", "is not JSON"),
        ("[]", "is no manifest"),
        ('{"format":"other"}', "is no manifest"),
        ('{"format":"insideout-registry/1","versions":{}}', "versions is not a list"),
    ],
)
def test_a_folder_that_is_no_export_is_refused(
    tmp_path: Path, text: str | bytes | None, reason: str
) -> None:
    if text is not None:
        (tmp_path / MANIFEST).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(FolderError, match=reason):
        read_folder(tmp_path)
