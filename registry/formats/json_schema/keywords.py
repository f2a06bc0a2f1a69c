"""The keywords of one schema object, read with the type that every draft gives them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from registry.formats.contract import SchemaInvalidError
from registry.formats.json_schema.syntax import fault

_LONGEST_SHOWN = 100
"""Characters of a pattern that a message holds."""


class Keywords:
    """Typed access to a schema object; each reader raises SchemaInvalidError with the path."""

    def __init__(self, raw: Mapping[str, Any], path: str, draft: int) -> None:
        self.raw = raw
        self._path = path
        self._draft = draft

    def __contains__(self, name: str) -> bool:
        return name in self.raw

    def at(self, name: str) -> str:
        """The path of a keyword."""
        return f"{self._path}/{name}"

    def string(self, name: str) -> str | None:
        """A string, or None when absent."""
        value = self.raw.get(name)
        if value is None and name not in self.raw:
            return None
        if not isinstance(value, str):
            raise SchemaInvalidError(f"{name} must be a string", self.at(name))
        return value

    def pattern(self, name: str) -> str | None:
        """A regular expression, or None when absent."""
        value = self.string(name)
        if value is not None:
            self.check_pattern(value, self.at(name))
        return value

    @staticmethod
    def check_pattern(pattern: str, path: str) -> None:
        """Refuse what is no regular expression in any dialect."""
        if (found := fault(pattern)) is not None:
            shown = pattern[:_LONGEST_SHOWN]
            raise SchemaInvalidError(f"not a regular expression: {shown!r}: {found}", path)

    def flag(self, name: str) -> bool:
        """A boolean, false when absent."""
        value = self.raw.get(name, False)
        if not isinstance(value, bool):
            raise SchemaInvalidError(f"{name} must be a boolean", self.at(name))
        return value

    def number(self, name: str) -> Decimal | None:
        """A number, exactly as written, or None when absent."""
        if name not in self.raw:
            return None
        value = self.raw[name]
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            raise SchemaInvalidError(f"{name} must be a number", self.at(name))
        return value if isinstance(value, Decimal) else Decimal(repr(value))

    def count(self, name: str) -> int | None:
        """A whole number ≥ 0, or None when absent."""
        number = self.number(name)
        if number is None:
            return None
        if number < 0 or number != number.to_integral_value():
            raise SchemaInvalidError(f"{name} must be a whole number ≥ 0", self.at(name))
        return int(number)

    def array(self, name: str) -> list[Any]:
        """A list; empty when absent."""
        value = self.raw.get(name, [])
        if not isinstance(value, list):
            raise SchemaInvalidError(f"{name} must be a list", self.at(name))
        return value

    def mapping(self, name: str) -> dict[str, Any]:
        """An object; empty when absent."""
        value = self.raw.get(name, {})
        if not isinstance(value, dict):
            raise SchemaInvalidError(f"{name} must be an object", self.at(name))
        return value

    def names(self, name: str) -> tuple[str, ...]:
        """A list of strings, each once; draft 3's boolean `required` counts as absent."""
        value = self.raw.get(name, [])
        if isinstance(value, bool) and name == "required":
            return ()
        return self.distinct_names(value, self.at(name))

    def names_by_key(self, name: str) -> dict[str, tuple[str, ...]]:
        """An object of lists of strings; empty when absent."""
        return {
            key: self.distinct_names(value, f"{self.at(name)}/{key}")
            for key, value in self.mapping(name).items()
        }

    @staticmethod
    def distinct_names(value: Any, path: str) -> tuple[str, ...]:
        """A list of strings, each once."""
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise SchemaInvalidError("not a list of names", path)
        return tuple(dict.fromkeys(value))
