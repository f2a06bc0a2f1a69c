"""docs/registry.md names every operation with its test, and every error code."""

import re
from collections.abc import Iterator
from pathlib import Path

from registry import errors
from registry.api import urls
from registry.api.boundary import Endpoint

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "registry.md").read_text()
ROW = re.compile(r"^\| `([A-Z]+ /[^`]*)` \|.*\| `([\w/]+\.py)` \|$", re.MULTILINE)
PARAMETER = re.compile(r"\(\?P<(\w+)>(?:\(\?s:[^)]*\)|[^()]*)\)")


def _operations() -> Iterator[str]:
    """Every operation at the root, as `METHOD /path/{parameter}`."""
    for pattern in urls.urlpatterns:
        view = getattr(pattern, "callback", None)
        if isinstance(view, Endpoint):
            path = PARAMETER.sub(lambda match: f"{{{match[1]}}}", str(pattern.pattern))
            for method in view.operations:
                yield f"{method} /{path.strip('^$').replace('/?', '')}"


def _codes(base: type[errors.RegistryError]) -> Iterator[int]:
    for each in base.__subclasses__():
        if "error_code" in vars(each):
            yield each.error_code
        yield from _codes(each)


def test_every_operation_is_named_with_a_test_that_exists() -> None:
    named = dict(ROW.findall(TEXT))
    assert set(named) == {*_operations(), "GET /", "POST /"}
    assert len(named) >= 47
    for file in set(named.values()):
        assert (ROOT / "tests" / "registry" / file).is_file(), file


def test_every_error_code_is_named() -> None:
    named = {int(code) for code in re.findall(r"^\| (\d{3,5}) \|", TEXT, re.MULTILINE)}
    own = {400, 404, 405, 406, 413, 415, 500}
    assert named == {*_codes(errors.RegistryError), *own}
