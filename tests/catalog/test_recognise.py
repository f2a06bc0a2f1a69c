"""Recognising services by patterns."""

from fnmatch import fnmatchcase

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.models import BoundedContext, Service
from catalog.recognition import PATTERN_KEYS, Recogniser, has_wildcard, recogniser

KEYS = dict.fromkeys(PATTERN_KEYS.values())


def _service(pk: int, name: str, **patterns: list[str]) -> Service:
    return Service(pk=pk, name=name, recognised_by=patterns)


def test_exact_beats_wildcard_and_longer_beats_shorter() -> None:
    found = Recogniser([
        _service(1, "all", groups=["*"]),
        _service(2, "shop", groups=["shop-*"]),
        _service(3, "mail", groups=["shop-mail-*"]),
        _service(4, "exact", groups=["shop-mail-1"]),
    ])
    names = {
        "shop-mail-1": "exact",
        "shop-mail-2": "mail",
        "shop-x": "shop",
        "other": "all",
    }
    for name, service in names.items():
        match = found.service_of("group", name)
        assert match is not None
        assert match.name == service


def test_each_kind_of_name_has_patterns_of_its_own() -> None:
    for kind, key in PATTERN_KEYS.items():
        found = Recogniser([_service(1, "orders", **{key: ["orders-?"]})])
        assert {other: bool(found.service_of(other, "orders-1")) for other in PATTERN_KEYS} == {
            other: other == kind for other in PATTERN_KEYS
        }
    assert Recogniser([_service(1, "a", groups=["*"])]).service_of("producer_id", "7") is None


def test_equally_good_patterns_of_two_services_recognise_neither() -> None:
    found = Recogniser([_service(1, "a", groups=["x-*"]), _service(2, "b", groups=["*-y"])])
    assert found.service_of("group", "x-y") is None
    assert [service.name for service in found.candidates("group", "x-y")] == ["a", "b"]
    exact = Recogniser([_service(1, "a", groups=["x"]), _service(2, "b", groups=["x"])])
    assert exact.service_of("group", "x") is None


def test_two_equally_good_patterns_of_one_service_recognise_it() -> None:
    found = Recogniser([_service(1, "a", groups=["x-*", "*-y"])])
    assert found.service_of("group", "x-y") is not None


def test_letters_count_and_case_matters() -> None:
    found = Recogniser([_service(1, "a", groups=["Orders-[0-9]"])])
    assert found.service_of("group", "Orders-1")
    assert found.service_of("group", "orders-1") is None
    assert found.service_of("group", "Orders-x") is None


_patterns = st.lists(st.text("ab*?", min_size=1, max_size=4), max_size=3, unique=True)


@settings(deadline=None)
@given(st.lists(_patterns, min_size=1, max_size=4), st.text("ab", min_size=1, max_size=5))
def test_whoever_is_recognised_has_the_best_matching_pattern(
    patterns: list[list[str]], name: str
) -> None:
    services = [_service(pk, str(pk), groups=each) for pk, each in enumerate(patterns)]

    def best(service: Service) -> int:
        ranks = [
            100 if not has_wildcard(pattern) else len(pattern.replace("*", "").replace("?", ""))
            for pattern in service.recognised_by["groups"]
            if fnmatchcase(name, pattern)
        ]
        return max(ranks, default=-1)

    most = max(best(service) for service in services)
    expected = [service for service in services if most >= 0 and best(service) == most]
    found = Recogniser(services)
    assert sorted(each.pk for each in found.candidates("group", name)) == [
        each.pk for each in expected
    ]
    assert found.service_of("group", name) == (expected[0] if len(expected) == 1 else None)
    assert found.service_of("group", name) == Recogniser(services[::-1]).service_of("group", name)


@pytest.mark.django_db
def test_a_new_recogniser_sees_what_was_declared_since(django_assert_num_queries: object) -> None:
    assert recogniser().service_of("group", "orders") is None
    context = BoundedContext.objects.create(name="sales")
    Service.objects.create(name="orders", context=context, recognised_by={"groups": ["orders"]})
    with django_assert_num_queries(1):  # type: ignore[operator]
        found = recogniser().service_of("group", "orders")
        assert found is not None
        assert found.context is not None
        assert found.context.name == "sales"
