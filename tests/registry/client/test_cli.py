"""`insideout` against a live registry: what it prints and how it exits."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from pytest_django.live_server_helper import LiveServer

from registry.client.insideout_client.cli import main
from tests.registry.conftest import record, text_of

ORDER = json.dumps(record(id="string"), indent=1)
BROKEN = json.dumps(record(id="string", amount="int"), indent=1)


@pytest.fixture
def order(tmp_path: Path, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with a schema, and a registry that the environment names."""
    monkeypatch.setenv("SCHEMA_REGISTRY_URL", live_server.url)
    file = tmp_path / "order.avsc"
    file.write_text(ORDER)
    return file


def test_register_test_download(
    order: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["test-compatibility", f"orders-value={order}"]) == 0
    assert main(["register", f"orders-value={order}", "--normalize"]) == 0
    assert "id 1" in capsys.readouterr().out
    assert main(["download", "orders-value", "--to", str(tmp_path / "out")]) == 0
    assert json.loads((tmp_path / "out" / "orders-value.avsc").read_text())["name"] == "Order"
    assert main(["download", "orders-value@1", "--to", str(tmp_path)]) == 0


@pytest.mark.parametrize("verb", ["register", "test-compatibility"])
def test_an_incompatible_schema_exits_1(
    order: Path, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["register", f"orders-value={order}"])
    order.write_text(BROKEN)
    assert main([verb, f"orders-value={order}"]) == 1
    assert "READER_FIELD_MISSING_DEFAULT_VALUE" in capsys.readouterr().out


def test_every_report(order: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["register", f"orders-value={order}"])
    order.write_text(BROKEN)
    line = 1 + BROKEN.splitlines().index('   "name": "amount",')
    command = ["test-compatibility", f"orders-value={order}", f"new={order}", "--format"]

    def printed(form: str) -> str:
        capsys.readouterr()
        assert main([*command, form]) == 1
        return capsys.readouterr().out

    assert [each["ok"] for each in json.loads(printed("json"))] == [False, True]
    assert f"::error file={order},line={line}::orders-value: " in printed("github")
    suite = ET.fromstring(printed("junit"))
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    found = json.loads(printed("sarif"))["runs"][0]["results"]
    assert found[0]["locations"][0]["physicalLocation"]["region"]["startLine"] == line
    assert f"{order}:{line}" in printed("text")


def test_references(order: Path, tmp_path: Path) -> None:
    main(["register", f"order={order}"])
    book = tmp_path / "book.avsc"
    book.write_text(text_of({"type": "array", "items": "Order"}))
    assert main(["register", f"book={book}", "--reference", "Order=order:1"]) == 0
    assert main(["register", f"book2={book}"]) == 2
    assert main(["register", f"book={book}", "--reference", "Order"]) == 2


def test_wrong_usage_exits_2(order: Path, tmp_path: Path) -> None:
    assert main(["register", "orders-value"]) == 2
    assert main(["register", f"orders-value={tmp_path / 'nothing.avsc'}"]) == 2
    assert main(["register", f"orders-value={tmp_path}"]) == 2
    assert main(["download", "nowhere"]) == 2
    assert main(["register", f"a={order}", "--url", "file:///x"]) == 2
    order.write_text("{")
    assert main(["register", f"orders-value={order}"]) == 2
    with pytest.raises(SystemExit) as stopped:
        main(["nonsense"])
    assert stopped.value.code == 2


def test_no_registry_exits_3(order: Path) -> None:
    assert main(["register", f"a={order}", "--url", "http://127.0.0.1:9"]) == 3
