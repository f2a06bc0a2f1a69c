"""GET /subjects."""

from tests.registry.conftest import Registry


def _fill(registry: Registry) -> None:
    for subject in ("b-value", "a-value", ":.other:c-value"):
        registry.register(subject, '"string"')
    registry.call("DELETE", "/subjects/b-value")


def test_live_subjects_of_every_context_sorted(registry: Registry) -> None:
    assert registry.get("/subjects") == []
    _fill(registry)
    assert registry.get("/subjects") == [":.other:c-value", "a-value"]


def test_deleted_ones_on_request(registry: Registry) -> None:
    _fill(registry)
    assert registry.get("/subjects?deleted=True") == [":.other:c-value", "a-value", "b-value"]
    assert registry.get("/subjects?deletedOnly=true") == ["b-value"]
    assert registry.get("/subjects?deleted_only=true") == ["b-value"]


def test_by_prefix(registry: Registry) -> None:
    _fill(registry)
    assert registry.get("/subjects?subjectPrefix=a") == ["a-value"]
    assert registry.get("/subjects?subjectPrefix=:.other:") == [":.other:c-value"]
    assert registry.get("/subjects?subjectPrefix=:*:c") == [":.other:c-value"]
    assert registry.get("/contexts/.other/subjects") == [":.other:c-value"]
    assert registry.get("/contexts/other/subjects?subjectPrefix=c") == [":.other:c-value"]
    assert registry.get("/contexts/:.:/subjects") == ["a-value"]


def test_a_page(registry: Registry) -> None:
    _fill(registry)
    assert registry.get("/subjects?offset=1&limit=1") == ["a-value"]
    assert registry.get("/subjects?offset=0&limit=-1") == [":.other:c-value", "a-value"]
    assert registry.get("/subjects?limit=0") == []
    assert registry.error("GET", "/subjects?limit=x") == (404, 404)


def test_only_what_is_wholly_deleted_counts_as_deleted(registry: Registry) -> None:
    registry.register("s", '"int"')
    registry.register("s", '"long"')
    registry.call("DELETE", "/subjects/s/versions/1")
    assert registry.get("/subjects?deletedOnly=true") == []
    registry.call("DELETE", "/subjects/s/versions/2")
    assert registry.get("/subjects?deletedOnly=true") == ["s"]
