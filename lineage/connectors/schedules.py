"""When a copy is regenerated and audited by itself: cron, or an interval. Pure.

`schedule: {regenerate: "0 3 * * 0", audit: 1h}`; cron has five fields and is read in UTC.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from celery.schedules import crontab

WHAT = ("regenerate", "audit")
_INTERVAL = re.compile(r"(\d{1,6})\s*(s|m|min|h|d|w)")
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
# a cron that never comes (31 February) is looked for no longer
_LONGEST_WAIT_DAYS = 4 * 366 + 1


@dataclass(frozen=True)
class Schedule:
    """When each thing is due: cron or interval as declared; None: never by itself."""

    regenerate: str | None = None
    audit: str | None = None


NEVER = Schedule()


def read_schedule(declared: Any) -> tuple[Schedule, list[tuple[tuple[str, ...], str]]]:
    """Return the schedule, and all that is wrong: at which key, and what."""
    if declared is None:
        return Schedule(), []
    if not isinstance(declared, Mapping):
        return Schedule(), [(("schedule",), f"is no mapping with {' or '.join(WHAT)}")]
    faults: list[tuple[tuple[str, ...], str]] = [
        (("schedule", str(key)), f"unknown (known: {', '.join(WHAT)})")
        for key in declared
        if key not in WHAT
    ]
    read: dict[str, str] = {}
    for key in WHAT:
        if declared.get(key) is None:
            continue
        try:
            check_when(declared[key])
        except ValueError as error:
            faults.append((("schedule", key), str(error)))
        else:
            read[key] = declared[key].strip()
    return Schedule(**read), faults


def check_when(when: Any) -> None:
    """Raise ValueError where a text is neither an interval nor a cron that ever comes."""
    if not isinstance(when, str):
        raise ValueError(f"{when!r} is no cron of five fields and no interval such as 1h")  # noqa: TRY004
    if interval_of(when) is None:
        next_time(when, datetime(2024, 1, 1))  # noqa: DTZ001  (any day will do)


def interval_of(when: str) -> timedelta | None:
    """Return the length of an interval such as `90s`, `30m`, `1h`, `7d`, `1w`; None for a cron."""
    found = _INTERVAL.fullmatch(when.strip())
    if found is None:
        return None
    length = int(found[1]) * _UNITS[found[2]]
    if not length:
        raise ValueError(f"{when!r} is no length of time")
    return length


def next_time(when: str, after: datetime) -> datetime:
    """Return when it is due next after an instant; a cron's fields are read in that one's zone."""
    interval = interval_of(when)
    if interval is not None:
        return after + interval
    times = _cron(when)
    day = after.replace(second=0, microsecond=0) + timedelta(minutes=1)
    for _ in range(_LONGEST_WAIT_DAYS):
        found = _within(times, day) if _on(times, day) else None
        if found is not None:
            return found
        day = day.replace(hour=0, minute=0) + timedelta(days=1)
    raise ValueError(f"{when!r} never comes")


def _within(times: "crontab", begin: datetime) -> datetime | None:
    """Return the first time of a day, from an instant of it on."""
    for hour in sorted(each for each in times.hour if each >= begin.hour):
        first = begin.minute if hour == begin.hour else 0
        minutes = [each for each in times.minute if each >= first]
        if minutes:
            return begin.replace(hour=hour, minute=min(minutes))
    return None


def _cron(when: str) -> "crontab":
    # it is big, and processes that only make rows need none of it
    from celery.schedules import ParseException, crontab

    if len(when.split()) != 5:
        raise ValueError(f"{when!r} is no cron of five fields and no interval such as 1h")
    try:
        return crontab.from_string(when)
    except (ParseException, ValueError, KeyError, IndexError) as error:
        raise ValueError(
            f"{when!r} is no cron of five fields and no interval such as 1h: {error}"
        ) from None


def _on(times: "crontab", day: datetime) -> bool:
    """Whether a day is meant; with day of month and of week both given either will do (crontab)."""
    if day.month not in times.month_of_year:
        return False
    of_month = day.day in times.day_of_month
    of_week = day.isoweekday() % 7 in times.day_of_week
    either = len(times.day_of_month) < 31 and len(times.day_of_week) < 7
    return (of_month or of_week) if either else (of_month and of_week)
