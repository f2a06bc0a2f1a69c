"""How pages show instants, sizes and texts."""

from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, Template

from config.templatetags import display


@pytest.mark.parametrize(
    ("age", "said"),
    [
        (0, "just now"),
        (5, "5 s ago"),
        (125, "2 min ago"),
        (7200, "2 h ago"),
        (3 * 86_400, "3 d ago"),
    ],
)
def test_ago_says_the_age_and_keeps_the_instant(age: int, said: str) -> None:
    instant = datetime.now(tz=UTC) - timedelta(seconds=age)
    shown = display.ago(instant)
    assert f">{said}<" in shown
    assert f"{instant:%Y-%m-%d %H:%M:%S} UTC" in shown


def test_what_is_unknown_is_said_to_be_unknown() -> None:
    assert display.ago(None) == "never"
    assert display.bytesize(None) == "unknown"
    assert display.count(None) == "unknown"
    assert Template("{% load display %}{{ no.such|count }}").render(Context()) == "unknown"
    assert display.duration(None) == "unknown"
    assert display.percent(None) == "unknown"
    shown = Template("{% load display %}{% state word %}").render(Context({"word": None}))
    assert "unknown" in shown
    assert "good" not in shown


def test_sizes_and_durations_have_units() -> None:
    assert display.bytesize(512) == "512 B"
    assert display.bytesize(5 * 1024 * 1024) == "5.0 MiB"
    assert display.duration(604_800_000) == "7 d"
    assert display.duration(-1) == "for ever"
    assert display.duration(1) == "1 ms"
    assert display.percent(0.9999) == "99.9 %"
    assert display.numbered(1, "copy|copies") == "1 copy"
    assert display.numbered(1200, "copy|copies") == "1,200 copies"


def test_schema_texts_are_marked_and_escaped() -> None:
    shown = display.highlighted('{"doc": "<script>", "n": 1, "x": null}', "AVRO")
    assert '<span class="s-key">"doc"</span>' in shown
    assert '<span class="s-text">"&lt;script&gt;"</span>' in shown
    assert '<span class="s-num">1</span>' in shown
    assert '<span class="s-word">null</span>' in shown
    assert '<span class="s-key">message</span>' in display.highlighted("message A {}", "PROTOBUF")


def test_search_words_are_marked_and_escaped() -> None:
    assert display.marked("orders <b>", "ORD") == "<mark>ord</mark>ers &lt;b&gt;"
    assert display.marked("<b>", "") == "&lt;b&gt;"
