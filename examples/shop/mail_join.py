"""Joins a confirmed payment with its order and the description of its product.

The three arrive in any order, late or never; so each is kept until its partners come. All of it is
in one SQLite file: the join survives a restart, and a mail is made once.
"""

import sqlite3
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from examples.shop.events import Fact, Order, OrderStatus, Payment, PaymentStatus, StockLevel

# How long a mail waits for the product's description; without an order there is nobody to write to.
PATIENCE = timedelta(seconds=30)
# As long as the topics keep their records: nothing older can arrive again.
_KEPT = timedelta(days=7)

_TABLES = """
CREATE TABLE IF NOT EXISTS paid (
    order_id TEXT PRIMARY KEY, amount TEXT NOT NULL, currency TEXT NOT NULL, seen_at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ordered (
    order_id TEXT PRIMARY KEY, customer TEXT NOT NULL, product TEXT NOT NULL,
    quantity INTEGER NOT NULL, seen_at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS goods (
    product TEXT PRIMARY KEY, description TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mail (
    number INTEGER PRIMARY KEY, order_id TEXT UNIQUE NOT NULL, customer TEXT NOT NULL,
    text TEXT NOT NULL, made_at REAL NOT NULL, delivered INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS undelivered ON mail (number) WHERE NOT delivered;
"""
_MATCHES = """
SELECT order_id, customer, quantity, coalesce(description, product), amount, currency
FROM paid JOIN ordered USING (order_id) LEFT JOIN goods USING (product)
WHERE description IS NOT NULL OR paid.seen_at <= :impatient
ORDER BY paid.seen_at, order_id
"""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one customer; `order_id` is its identity."""

    order_id: str
    customer: str
    text: str

    def as_fields(self) -> dict[str, str]:
        """Return the fields by name."""
        return asdict(self)


class MailJoin:
    """The state of the join; `with join:` makes one transaction of what is done within."""

    def __init__(self, path: Path | str) -> None:
        """Open the file, or `":memory:"`."""
        self._database = sqlite3.connect(path)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.executescript(_TABLES)

    def __enter__(self) -> "MailJoin":
        self._database.__enter__()
        return self

    def __exit__(self, *failure: object) -> None:
        if failure[0] is None:
            self._database.commit()
        else:
            self._database.rollback()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def take(self, fact: Fact, at: datetime) -> None:
        """Keep what the join needs of a fact; a repeated one changes nothing."""
        match fact:
            case Payment(status=PaymentStatus.CONFIRMED) if not self._is_mailed(fact.order_id):
                self._database.execute(
                    "INSERT OR IGNORE INTO paid VALUES (?, ?, ?, ?)",
                    (fact.order_id, str(fact.amount), fact.currency, at.timestamp()),
                )
            case Order(status=OrderStatus.REJECTED):
                self._database.execute("DELETE FROM ordered WHERE order_id = ?", (fact.id,))
            case Order() if not self._is_mailed(fact.id):
                self._database.execute(
                    "INSERT OR IGNORE INTO ordered VALUES (?, ?, ?, ?, ?)",
                    (fact.id, fact.customer, fact.product, fact.quantity, at.timestamp()),
                )
            case StockLevel():
                self._database.execute(
                    "INSERT OR REPLACE INTO goods VALUES (?, ?)", (fact.product, fact.description)
                )
            case _:
                pass

    def _is_mailed(self, order_id: str) -> bool:
        found = self._database.execute("SELECT 1 FROM mail WHERE order_id = ?", (order_id,))
        return found.fetchone() is not None

    def make(self, at: datetime) -> int:
        """Make the mails that can be made by now, and return how many."""
        impatient = (at - PATIENCE).timestamp()
        matches = self._database.execute(_MATCHES, {"impatient": impatient}).fetchall()
        for order_id, customer, quantity, goods, amount, currency in matches:
            text = f"Thank you: {quantity} x {goods}, {amount} {currency} received."
            self._database.execute(
                "INSERT INTO mail (order_id, customer, text, made_at) VALUES (?, ?, ?, ?)",
                (order_id, customer, text, at.timestamp()),
            )
            self._database.execute("DELETE FROM paid WHERE order_id = ?", (order_id,))
            self._database.execute("DELETE FROM ordered WHERE order_id = ?", (order_id,))
        return len(matches)

    def undelivered(self) -> list[Mail]:
        """Return the mails not yet known to be delivered, oldest first."""
        rows = self._database.execute(
            "SELECT order_id, customer, text FROM mail WHERE NOT delivered ORDER BY number"
        )
        return [Mail(*row) for row in rows]

    def mark_delivered(self, mails: list[Mail]) -> None:
        """Note that these mails are out."""
        self._database.executemany(
            "UPDATE mail SET delivered = 1 WHERE order_id = ?",
            [(mail.order_id,) for mail in mails],
        )

    def forget(self, at: datetime) -> None:
        """Drop what is older than any record that can still arrive."""
        limit = ((at - _KEPT).timestamp(),)
        self._database.execute("DELETE FROM mail WHERE delivered AND made_at < ?", limit)
        self._database.execute("DELETE FROM paid WHERE seen_at < ?", limit)
        self._database.execute("DELETE FROM ordered WHERE seen_at < ?", limit)
