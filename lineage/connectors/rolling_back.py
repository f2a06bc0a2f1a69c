"""A run of kind *rollback*: the generation before the live one is made live again."""

from lineage.connectors.actions import target_url
from lineage.connectors.building import Job
from lineage.connectors.copying import note_generation
from lineage.connectors.kinds import RunKind
from lineage.connectors.models import Connector, Generation
from lineage.connectors.sinks import open_sink


def roll_back(job: Job) -> str:
    """Swap the retired table in at the offsets where it was left, under the next number."""
    connector, report = job.connector, job.report
    retired = (
        connector.generations
        .filter(state=Generation.State.RETIRED, dropped_at=None)
        .order_by("-number")
        .first()
    )
    sink = open_sink(target_url(connector.target))
    try:
        report("swap", 0, 1, "making the generation before the live one live again")
        live = sink.roll_back(connector.name)
    finally:
        sink.close()
    note_generation(connector, live)
    generation = connector.generations.get(number=live.number)
    if retired is not None:
        Generation.objects.filter(pk=generation.pk).update(restored=retired.number)
        # its table bears another name now, and is another generation's
        Generation.objects.filter(pk=retired.pk).update(dropped_at=generation.live_at)
        _exchange_topics(connector, retired, live.number - 1)
    job.run.generation = generation
    job.run.save(update_fields=["generation"])
    Connector.objects.filter(pk=connector.pk, state=Connector.State.STOPPED).update(
        state=Connector.State.LIVE, message="", trouble=""
    )
    report("swap", 1, 1, f"generation {live.number} is live")
    again = f", which is generation {retired.number} again" if retired else ""
    return (
        f"generation {live.number} is live{again}, at the offsets where it was left; "
        "copying goes on from there"
    )


def _exchange_topics(connector: Connector, retired: Generation, replaced: int) -> None:
    """Make the topics those of the old offsets: of one made anew since, nothing may be copied."""
    kept = Connector.objects.values_list("topic_ids", flat=True).get(pk=connector.pk)
    connector.generations.filter(number=replaced).update(topic_ids=kept)
    if retired.topic_ids:
        Connector.objects.filter(pk=connector.pk).update(topic_ids=retired.topic_ids)


ROLLBACK = RunKind("rollback", ("swap",), roll_back)
