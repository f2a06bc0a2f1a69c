"""A searchable, sortable, faceted list whose whole state is in the URL's query."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.core.paginator import Page, Paginator
from django.http import QueryDict

Row = TypeVar("Row")

ROWS_A_PAGE = 50
ANY = "any"


@dataclass(frozen=True)
class Column(Generic[Row]):
    """One column: `key` gives what it sorts by (None sorts last either way), or cannot sort."""

    name: str
    label: str
    key: Callable[[Row], Any] | None = None
    numeric: bool = False


@dataclass(frozen=True)
class Facet(Generic[Row]):
    """One property that rows share; the list can be narrowed to one of its values.

    With a `default` the list is narrowed to that value until another one, or `any`, is asked for.
    """

    name: str
    label: str
    of: Callable[[Row], str]
    default: str = ""

    @property
    def any(self) -> str:
        """How a query asks for all values."""
        return ANY if self.default else ""

    def asked(self, query: QueryDict) -> str:
        """The value that a query narrows to; empty for all."""
        value = query.get(self.name) or self.default
        return "" if value == self.any else value


@dataclass(frozen=True)
class Heading:
    """A column as the page shows it: where a click on it leads, and how it is sorted now."""

    name: str
    label: str
    numeric: bool
    sort: str | None
    direction: str | None


@dataclass(frozen=True)
class Choice:
    """One value of a facet, how many rows have it, and whether it is chosen."""

    value: str
    count: int
    chosen: bool


class Listing(Generic[Row]):
    """The rows that a query asks for: `q` searches, `sort` sorts (`-` first: descending)."""

    def __init__(
        self,
        rows: Sequence[Row],
        query: QueryDict,
        *,
        columns: Sequence[Column[Row]],
        text: Callable[[Row], str],
        facets: Sequence[Facet[Row]] = (),
        order: str = "name",
    ) -> None:
        self.rows = rows
        self.query = query
        self.columns = columns
        self.text = text
        self.described = facets
        self.order = order
        self.words = query.get("q", "").strip()

    @property
    def total(self) -> int:
        """How many rows there are before narrowing."""
        return len(self.rows)

    @property
    def narrowed(self) -> bool:
        """Whether a search or a facet hides any row that could be shown."""
        return bool(self.words) or any(facet.asked(self.query) for facet in self.described)

    @cached_property
    def sort(self) -> str:
        """The column sorted by, `-` first when descending; `order` unless another is asked for."""
        asked = self.query.get("sort", "")
        sortable = {column.name for column in self.columns if column.key}
        return asked if asked.removeprefix("-") in sortable else self.order

    @cached_property
    def found(self) -> list[Row]:
        """The rows that match the search and every chosen facet, in order."""
        wanted = self.words.lower().split()
        rows = [row for row in self.rows if all(word in self.text(row).lower() for word in wanted)]
        for facet in self.described:
            if value := facet.asked(self.query):
                rows = [row for row in rows if facet.of(row) == value]
        return self._sorted(rows)

    def _sorted(self, rows: list[Row]) -> list[Row]:
        key = next(c.key for c in self.columns if c.name == self.sort.removeprefix("-"))
        if key is None:
            return rows
        keyed = [(key(row), row) for row in rows]
        known = [pair for pair in keyed if pair[0] is not None]
        known.sort(key=lambda pair: pair[0], reverse=self.sort.startswith("-"))
        return [row for _, row in known] + [row for value, row in keyed if value is None]

    @cached_property
    def page(self) -> Page[Row]:
        """The rows of the page asked for; an impossible number gives the nearest page."""
        return Paginator(self.found, ROWS_A_PAGE).get_page(self.query.get("page"))

    @property
    def headings(self) -> list[Heading]:
        """The columns with the sorting that a click on each would ask for."""
        return [self._heading(column) for column in self.columns]

    def _heading(self, column: Column[Row]) -> Heading:
        if column.key is None:
            return Heading(column.name, column.label, column.numeric, None, None)
        if self.sort == column.name:
            return Heading(
                column.name, column.label, column.numeric, f"-{column.name}", "ascending"
            )
        direction = "descending" if self.sort == f"-{column.name}" else None
        # the largest number is what one looks for first
        first = f"-{column.name}" if column.numeric and direction is None else column.name
        return Heading(column.name, column.label, column.numeric, first, direction)

    @property
    def facets(self) -> list[tuple[Facet[Row], list[Choice]]]:
        """Each facet with its values; counts are those of the whole list and never go stale."""
        return [(facet, self._choices(facet)) for facet in self.described]

    def _choices(self, facet: Facet[Row]) -> list[Choice]:
        counts = Counter(facet.of(row) for row in self.rows)
        asked = facet.asked(self.query)
        return [
            Choice(value, count, value == asked) for value, count in sorted(counts.items()) if value
        ]
