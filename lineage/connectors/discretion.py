"""What may be told, beside the copy, of a copy that masks columns. Pure.

Quarantine, divergences and messages show what stands in records; where a column is masked they show
no more of it than the copy does.
"""

import re
from collections.abc import Collection

from lineage.connectors.declared_columns import ColumnRules, Mask
from lineage.connectors.definition import Definition
from lineage.connectors.keying import RECORD_KEY, key_text
from lineage.connectors.masking import masked

HIDDEN = "•••"
_EVENTS_KEY = "kafka_key"
# a decoder's words may hold the bytes it met
_DECODERS_WORDS = re.compile(r"(.*?cannot be decoded: \w+)\(.*", re.DOTALL)
_NO_NUMBER = re.compile(r"(key )?.*( is no whole number.*)", re.DOTALL)


def hidden_columns(rules: ColumnRules, names: Collection[str]) -> set[str]:
    """Choose those of a table's columns that may hold what the definition masks.

    Among them are the columns that a masked record was taken apart into, and those under which a
    table that was made before the mask was declared has the same field.
    """
    shown = {rule.name for rule in rules.rules if rule.mask is None and rule.kind != "drop"}
    hidden: set[str] = set()
    for rule in rules.rules:
        if rule.mask is None:
            continue
        hidden.add(rule.name)
        origins = {rule.name}
        if rule.kind == "field":
            origins.add(rule.source.replace(".", "_"))
        for origin in origins:
            # beside a column of the record's own name there are none of its fields
            parts = () if origin in names else (n for n in names if n.startswith(f"{origin}_"))
            hidden |= {origin, *parts} - shown
    return hidden & {*names}


class Discretion:
    """What may be told of the records of one definition; `secret` is what hashes are made with."""

    def __init__(self, definition: Definition, secret: bytes) -> None:
        rules = {rule.name: rule for rule in definition.columns.rules if rule.mask is not None}
        self.masks = bool(rules)
        leads = {*definition.key} or {RECORD_KEY}
        if definition.mode == "events":
            leads = {_EVENTS_KEY}
        # a key's schema may bring columns that the definition does not name as the key's
        any_may_be = definition.key_format == "schema" and not definition.key
        self.masks_key = self.masks if any_may_be else bool(leads & rules.keys())
        self._mask: Mask | None = None
        if self.masks_key and len(leads) == 1 and definition.key_format == "text":
            self._mask = rules[next(iter(leads))].mask
        self._secret = secret

    def key(self, raw: bytes | None) -> str:
        """Return a record's key as far as the copy shows it."""
        text = key_text(raw)
        if not self.masks_key or raw is None:
            return text
        if self._mask is None or (self._mask == "hash" and not self._secret):
            return HIDDEN
        return str(masked(self._mask, "text", self._secret)(text))

    def reason(self, text: str) -> str:
        """Return why a record was left out, without values that a masked column may be made of."""
        if not self.masks:
            return text
        words = _DECODERS_WORDS.fullmatch(text)
        if words:
            return f"{words[1]}, in words that may hold what is masked"
        number = _NO_NUMBER.fullmatch(text)
        if number and not text.startswith("column "):
            return f"{'the key' if number[1] else 'a value'}{number[2]}"
        return text
