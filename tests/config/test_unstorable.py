"""A NUL, which PostgreSQL's texts cannot hold, in any parameter of any address: 4xx, never 500."""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.serving import serve


def _ask(url: str, method: str) -> tuple[int, bytes]:
    body = b"{}" if method in {"POST", "PUT", "PATCH"} else None
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def _attempts(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each operation of the API with a NUL in its path, and in each parameter by itself."""
    operations = [
        (path, method.upper(), operation.get("parameters", ()))
        for path, methods in document["paths"].items()
        if not path.startswith("/contexts/{context}/")
        for method, operation in methods.items()
        if method in {"get", "post", "put", "patch", "delete"}
    ]
    for path, method, parameters in operations:
        if "{" in path:
            yield method, re.sub(r"\{[^}]+\}", "a%00b", path)
        plain = re.sub(r"\{[^}]+\}", "1", path)
        names = [each["name"] for each in parameters if each.get("in") == "query"]
        yield from ((method, f"{plain}?{name}=a%00b") for name in names)


PAGES = ["search?q=%00", "topics?q=%00", "topics/a%00/b", "services/a%00", "copies/a%00",
         "bounded-contexts/a%00", "registry?q=%00", "registry/subjects/a%00", "lineage?q=%00",
         "findings?cluster=%00"]  # fmt: skip


@pytest.mark.postgres
def test_no_address_fails(tmp_path: Path, postgres_url: str) -> None:
    with serve(tmp_path, DATABASE_URL=postgres_url) as served:
        document = json.loads(_ask(f"{served.url}/api/openapi.json", "GET")[1])
        attempts = [*_attempts(document), *(("GET", f"/{page}") for page in PAGES)]
        answers = {each: _ask(f"{served.url}{each[1]}", each[0])[0] for each in attempts}
    assert len(answers) > 100
    assert {each: status for each, status in answers.items() if status >= 500} == {}
