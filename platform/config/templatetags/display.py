"""How pages show states, instants, durations, sizes and code: one vocabulary everywhere."""

import html
import json
import math
import re
from datetime import UTC, datetime
from typing import Any, Literal

from django import template
from django.template.defaultfilters import stringfilter
from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

UNKNOWN = "unknown"

# state → (tone, icon); a word that is not here is shown as it is, without a tone
STATES: dict[str, tuple[str, str]] = {
    "verified": ("good", "check"),
    "unverified": ("warn", "question"),
    "violated": ("bad", "cross"),
    "live": ("good", "run"),
    "starting": ("busy", "cycle"),
    "paused": ("warn", "pause"),
    "regenerating": ("busy", "cycle"),
    "stopped": ("bad", "stop"),
    "equal": ("good", "equal"),
    "diverged": ("bad", "warning"),
    "compatible": ("good", "check"),
    "breaking": ("bad", "cross"),
    "connected": ("good", "check"),
    "unreachable": ("bad", "warning"),
    "running": ("busy", "cycle"),
    "succeeded": ("good", "check"),
    "failed": ("bad", "cross"),
    "cancelled": ("", "stop"),
    "building": ("busy", "cycle"),
    "retired": ("", "clock"),
    "built": ("good", "check"),
    "observed": ("good", "check"),
    "stale": ("warn", "clock"),
    "declared": ("", "dash"),
    "gone": ("bad", "cross"),
    "error": ("bad", "warning"),
    "warning": ("warn", "warning"),
    "info": ("", "dash"),
    "done": ("good", "check"),
    "waiting": ("", "dash"),
    "deleted": ("warn", "cross"),
    "added": ("good", "plus"),
    "removed": ("bad", "minus"),
    "changed": ("warn", "change"),
    "missing": ("bad", "minus"),
    "extra": ("warn", "plus"),
    "accepted": ("good", "check"),
    "refused": ("bad", "cross"),
    "unchanged": ("good", "equal"),
    "appeared": ("good", "plus"),
    "passed": ("", "clock"),
    "never read": ("warn", "warning"),
    "never written": ("warn", "warning"),
    "writer never seen": ("warn", "question"),
    "not read since": ("warn", "clock"),
    "not written since": ("warn", "clock"),
    "quiet": ("", "clock"),
    "never observed": ("", "question"),
    "never sampled": ("", "question"),
    "cyclic": ("bad", "cycle"),
    "one way": ("", "dash"),
    "loop": ("warn", "cycle"),
    "own": ("", "cycle"),
    UNKNOWN: ("", "question"),
}


@register.inclusion_tag("components/state.html")
def state(word: object, *, note: str = "") -> dict[str, object]:
    """A state as icon and word; what is not known is shown as unknown and never as good."""
    text = str(word) if word else UNKNOWN
    tone, icon = STATES.get(text, ("", "dash"))
    return {"word": text, "tone": tone, "icon": icon, "turning": tone == "busy", "note": note}


def _spoken(seconds: float) -> str:
    if seconds < 1:
        return "just now"
    for limit, size, unit in ((60, 1, "s"), (3600, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{int(seconds // size)} {unit} ago"
    return f"{int(seconds // 86_400)} d ago"


@register.filter
def ago(instant: datetime | None) -> str:
    """Show an instant as its age, with the exact instant on hover; `never` for none."""
    if instant is None:
        return "never"
    age = (datetime.now(tz=UTC) - instant).total_seconds()
    return format_html(
        '<time data-ago datetime="{}" title="{}">{}</time>',
        instant.isoformat(timespec="milliseconds"),
        f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
        _spoken(age),
    )


@register.filter
def instant(value: datetime | None) -> str:
    """Show an exact instant in UTC; `never` for none."""
    if value is None:
        return "never"
    text = f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    return format_html('<time datetime="{}">{} UTC</time>', value.isoformat(), text)


@register.filter
def duration(milliseconds: int | None) -> str:
    """Show a number of milliseconds in the largest unit that divides it; -1 is for ever."""
    if milliseconds is None:
        return UNKNOWN
    if milliseconds < 0:
        return "for ever"
    for size, unit in ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s")):
        if milliseconds >= size and milliseconds % size == 0:
            return f"{milliseconds // size} {unit}"
    return f"{milliseconds:,} ms"


@register.filter
def seconds(number: float | None) -> str:
    """Show how long something takes, in its two largest units."""
    if number is None:
        return UNKNOWN
    whole = max(0, round(number))
    for size, unit, smaller, below in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min")):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // smaller} {below}"
    return f"{whole // 60} min {whole % 60} s" if whole >= 60 else f"{whole} s"


@register.filter
def bytesize(size: int | None) -> str:
    """Show a number of bytes with a binary unit."""
    if size is None:
        return UNKNOWN
    amount = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:,.1f} TiB"


@register.filter
def count(number: float | Literal[""] | None) -> str:
    """Show a number with thousands separated; unknown for none, or where a template found none."""
    return UNKNOWN if number is None or number == "" else f"{number:,.0f}"


@register.filter
def percent(share: float | None) -> str:
    """Show a share between 0 and 1 in percent; never rounded up to certainty."""
    return UNKNOWN if share is None else f"{math.floor(share * 1000) / 10:g} %"


@register.filter
def numbered(number: int, noun: str) -> str:
    """Say `1 service`, `2 services`; a plural of its own stands after a bar: `copy|copies`."""
    one, _, many = noun.partition("|")
    return f"{number:,} {one if number == 1 else many or one + 's'}"


_TOKENS = {
    "JSON": re.compile(
        r'(?P<key>"(?:[^"\\]|\\.)*"(?=\s*:))|(?P<text>"(?:[^"\\]|\\.)*")'
        r"|(?P<num>-?\b\d[\d.eE+-]*)|(?P<word>\b(?:true|false|null)\b)"
    ),
    "PROTOBUF": re.compile(
        r'(?P<note>//[^\n]*|/\*.*?\*/)|(?P<text>"(?:[^"\\\n]|\\.)*")|(?P<num>\b\d+\b)'
        r"|(?P<key>\b(?:syntax|edition|package|import|option|message|enum|oneof|map|repeated"
        r"|optional|required|reserved|service|rpc|returns|extend|extensions|to)\b)",
        re.DOTALL,
    ),
}


def _indented(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


@register.filter
@stringfilter
def highlighted(text: str, kind: str) -> SafeString:
    """Mark keys, strings and numbers of a schema text (`kind`: AVRO, JSON, PROTOBUF); escapes."""
    pattern = _TOKENS["PROTOBUF" if kind == "PROTOBUF" else "JSON"]
    text = text if kind == "PROTOBUF" else _indented(text)
    pieces, at = [], 0
    for token in pattern.finditer(text):
        pieces.append(_escaped(text[at : token.start()]))
        pieces.append(f'<span class="s-{token.lastgroup}">{_escaped(token.group())}</span>')
        at = token.end()
    pieces.append(_escaped(text[at:]))
    return mark_safe("".join(pieces))  # noqa: S308  (every piece is escaped above)


def _escaped(text: str) -> str:
    """Escape what stands between tags: a quote is safe there, and JSON has thousands of them."""
    return html.escape(text, quote=False)


@register.filter
def marked(text: object, words: str) -> SafeString:
    """Escape a text and mark where the searched words occur in it."""
    plain = str(text)
    wanted = [re.escape(word) for word in words.split() if word]
    if not wanted:
        return conditional_escape(plain)
    pieces, at = [], 0
    for hit in re.finditer("|".join(wanted), plain, re.IGNORECASE):
        pieces.append(escape(plain[at : hit.start()]))
        pieces.append(format_html("<mark>{}</mark>", hit.group()))
        at = hit.end()
    pieces.append(escape(plain[at:]))
    return mark_safe("".join(pieces))  # noqa: S308  (every piece is escaped above)


@register.filter
def item(mapping: dict[str, Any], key: str) -> Any:
    """One value of a mapping, or None."""
    return mapping.get(key)
