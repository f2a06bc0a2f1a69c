"""What a build leaves word of in its target, so that another worker can go on with it. Pure.

Kept is a shadow that is loaded and proven, with its offsets: reading and loading are what takes
long. A worker killed before begins anew; one killed after goes on with the catch-up. Beside it the
ids of the topics are kept (KIP-516): offsets count in a topic made anew from its beginning.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import orjson

from broker.records import Partition
from lineage.connectors.columns import Digest, Layout

_TOPICS = "topics"
_BUILD = "build"


@runtime_checkable
class Notes(Protocol):
    """A target that keeps notes of a connector beside its offsets; not every kind does."""

    def note(self, connector: str, name: str, content: str | None) -> None:
        """Keep a note under a name; None removes it."""
        ...

    def noted(self, connector: str, name: str) -> str | None:
        """Return a note."""
        ...

    def restart(self, connector: str, topics: Collection[str]) -> None:
        """Let the partitions of topics begin at their beginning; fences their owners."""
        ...


@runtime_checkable
class KnowsTopics(Protocol):
    """A reader that can tell the ids of topics."""

    def topic_ids(self, topics: Collection[str]) -> dict[str, str]:
        """Return the id of each topic (KIP-516)."""
        ...


@dataclass(frozen=True)
class Kept:
    """A proven shadow: of which build, up to where, holding what.

    `identity` tells the definition that it was built by; another one builds anew.
    """

    identity: str
    number: int
    layout: Layout
    begins: dict[Partition, int]
    offsets: dict[Partition, int]
    topics: dict[str, str]
    digest: Digest

    def dump(self) -> str:
        """Return it as JSON."""
        return orjson.dumps({
            "identity": self.identity,
            "number": self.number,
            "layout": self.layout.dump(),
            "begins": [[*place, at] for place, at in self.begins.items()],
            "offsets": [[*place, at] for place, at in self.offsets.items()],
            "topics": self.topics,
            "rows": self.digest.rows,
            "sum": str(self.digest),
        }).decode()

    @classmethod
    def load(cls, text: str) -> "Kept":
        """Return what `dump` wrote."""
        read: dict[str, Any] = orjson.loads(text)
        begins, offsets = (
            {Partition(topic, number): at for topic, number, at in read[name]}
            for name in ("begins", "offsets")
        )
        return cls(
            read["identity"],
            read["number"],
            Layout.load(read["layout"]),
            begins,
            offsets,
            read["topics"],
            Digest(read["rows"], int(read["sum"], 16)),
        )


def keep(sink: object, connector: str, kept: Kept | None) -> None:
    """Note a build, or that there is none."""
    if isinstance(sink, Notes):
        sink.note(connector, _BUILD, kept.dump() if kept else None)


def kept(sink: object, connector: str) -> Kept | None:
    """Return the build that was left, if any."""
    text = sink.noted(connector, _BUILD) if isinstance(sink, Notes) else None
    return Kept.load(text) if text else None


def topic_ids(reader: object, topics: Collection[str]) -> dict[str, str]:
    """Return the ids of topics, as far as the reader can tell."""
    return reader.topic_ids(topics) if isinstance(reader, KnowsTopics) else {}


def made_anew(sink: object, connector: str, ids: Mapping[str, str]) -> list[str]:
    """Name the topics whose id is not the one that the copy's offsets count in."""
    text = sink.noted(connector, _TOPICS) if isinstance(sink, Notes) else None
    known: dict[str, str] = orjson.loads(text) if text else {}
    return [topic for topic, now in ids.items() if known.get(topic, now) != now]


def note_topics(sink: object, connector: str, ids: Mapping[str, str]) -> None:
    """Note the ids that the copy's offsets count in."""
    if isinstance(sink, Notes) and ids:
        sink.note(connector, _TOPICS, orjson.dumps(dict(ids)).decode())
