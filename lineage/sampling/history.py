"""Who wrote long ago: logs read from their beginning, a little in each sample, each part once."""

from django.conf import settings

from broker.observe import Found, Partition
from lineage.sampling.models import Cursor
from lineage.sampling.sampler import Sample, View
from lineage.sampling.writers import Writers

_PARTITION_BYTES = 128 * 1024
# a batch larger than that comes whole to who asks for it alone
_ALONE = 4
# the layout of which all was read: until there is another one, nothing of the past is left
_ALL_READ = "history read"


class History:
    """Producer id → topic, and source → topic, as far back as the log is kept.

    Leaders forget a producer a day after its last batch; the log does not. Each sample reads
    HISTORY_BYTES on, and a cursor remembers how far: neither a restart nor the next sample reads
    a part again. Blind to what retention or compaction removed before.
    """

    name = "history"
    permissions: tuple[str, ...] = ("READ on topics",)

    def sample(self, view: View) -> Sample:
        """Read the next part of the past."""
        if settings.HISTORY_BYTES <= 0:
            return Sample()
        if view.memory.get(_ALL_READ) is view.layout:
            return Sample()
        cursors: dict[Partition, Cursor] = view.memory.setdefault(self.name, {})
        if not cursors:
            cursors.update(_kept(view))
        _forget_gone(view, cursors)
        problems = dict(_begin(view, cursors))
        unread = [
            it
            for it, cursor in cursors.items()
            if cursor.next_offset < cursor.until_offset and it in view.layout.leaders
        ]
        wanted = unread[: max(1, settings.HISTORY_BYTES // _PARTITION_BYTES)]
        if not wanted:
            if all(it in cursors for it in view.layout.shared):
                view.memory[_ALL_READ] = view.layout
            return Sample(problems=problems)
        writers = Writers()
        read = _read(view, {it: cursors[it].next_offset for it in wanted}, writers)
        for partition in wanted:
            # those that were not read come last next time: one that is refused blocks nobody
            cursor = cursors.pop(partition)
            cursors[partition] = cursor
            cursor.next_offset = read.items.get(partition, cursor.next_offset)
        Cursor.objects.bulk_update([cursors[it] for it in wanted], ["next_offset"], batch_size=500)
        seen = writers.sample(view, whole_span=True)
        return Sample(seen.observations, seen.names, {**problems, **read.problems, **seen.problems})


def _kept(view: View) -> dict[Partition, Cursor]:
    rows = Cursor.objects.filter(cluster=view.cluster)
    return {Partition(row.topic, row.partition): row for row in rows}


def _forget_gone(view: View, cursors: dict[Partition, Cursor]) -> None:
    """Forget topics that were deleted: one made anew under that name is another log."""
    ids = view.layout.ids
    gone = [it for it, cursor in cursors.items() if ids.get(it.topic) != cursor.topic_id]
    if gone:
        Cursor.objects.filter(pk__in=[cursors.pop(it).pk for it in gone]).delete()


def _begin(view: View, cursors: dict[Partition, Cursor]) -> dict[str, str]:
    """Set out for what lies in partitions now; what comes later, other kinds see."""
    fresh = [it for it in view.layout.shared if it not in cursors]
    if not fresh:
        return {}
    ends, begins = view.observer.end_offsets(fresh), view.observer.begin_offsets(fresh)
    Cursor.objects.bulk_create(
        [
            Cursor(
                cluster=view.cluster,
                topic=it.topic,
                topic_id=view.layout.ids.get(it.topic, ""),
                partition=it.partition,
                next_offset=begins.items[it],
                until_offset=ends.items[it],
            )
            for it in fresh
            if it in begins.items and it in ends.items
        ],
        batch_size=1000,
        ignore_conflicts=True,
    )
    cursors.update({it: row for it, row in _kept(view).items() if it not in cursors})
    return {**ends.problems, **begins.problems}


def _read(
    view: View, positions: dict[Partition, int], writers: Writers
) -> Found[dict[Partition, int]]:
    """Read a chunk of each; return where to go on."""
    found = view.observer.chunks(
        positions, partition_bytes=_PARTITION_BYTES, total_bytes=settings.HISTORY_BYTES
    )
    reached, problems = {}, dict(found.problems)
    stuck = {}
    for partition, position in positions.items():
        chunk = found.items.get(partition)
        if chunk is not None and chunk.next_offset > position:
            writers.take(chunk.batches)
            reached[partition] = chunk.next_offset
        elif partition.topic not in problems:
            stuck[partition] = position
    for partition, position in list(stuck.items())[:_ALONE]:
        reached[partition] = _read_alone(view, partition, position, writers)
    return Found(reached, problems)


def _read_alone(view: View, partition: Partition, position: int, writers: Writers) -> int:
    """Read a batch that was too large among others; where there is none, pass over the gap."""
    found = view.observer.chunks(
        {partition: position},
        partition_bytes=_PARTITION_BYTES,
        total_bytes=settings.HISTORY_BYTES,
    )
    chunk = found.items.get(partition)
    if chunk is not None and chunk.next_offset > position:
        writers.take(chunk.batches)
        return chunk.next_offset
    begin = view.observer.begin_offsets([partition]).items.get(partition, 0)
    end = view.observer.end_offsets([partition]).items.get(partition, position)
    # retention moved on; or nothing is left, or the topic is another one by now
    return begin if position < begin < end else max(position, end)
