"""Runs of the kinds *audit* and *repair*, as a connectors worker carries them out."""

from broker.errors import BrokerError
from catalog.models import Topic
from lineage.connectors.audits import engine, repairing
from lineage.connectors.audits.engine import MOST_DIFFERENCES, Auditor, Outcome
from lineage.connectors.audits.folding import LogFold
from lineage.connectors.audits.models import Audit
from lineage.connectors.audits.reading import LogReading
from lineage.connectors.audits.recording import begin, conclude, end
from lineage.connectors.audits.repairing import Repair
from lineage.connectors.building import Job
from lineage.connectors.errors import (
    ConnectorError,
    CopyDivergedError,
    RunCancelledError,
)
from lineage.connectors.kinds import RunKind
from lineage.connectors.models import Connector, Quarantine
from lineage.connectors.sessions import Session, begins_later, opened
from lineage.connectors.words import numbered


def audit(job: Job) -> str:
    """Compare the copy with the log, and keep the verdict."""
    return _judged(job, repairs=False)


def repair(job: Job) -> str:
    """Compare the copy with the log and write the log's row of every key that differs."""
    return _judged(job, repairs=True)


def _judged(job: Job, *, repairs: bool) -> str:
    kept = begin(job.connector, job.run)
    try:
        with opened(
            job.connector,
            f"insideout.audit.{job.connector.name}",
            poison=lambda _record, _reason: None,
        ) as session:
            auditor = _auditor(session, job)
            outcome = auditor.run()
            try:
                repaired = _repair(job, session, auditor, outcome) if repairs else 0
            except (ConnectorError, BrokerError) as error:
                conclude(kept, outcome, repaired=0, message=f"not repaired: {error}")
                raise
    except RunCancelledError as error:
        end(kept, Audit.State.STOPPED, str(error))
        raise
    except (ConnectorError, BrokerError) as error:
        end(kept, Audit.State.FAILED, str(error))
        raise
    except BaseException:
        end(kept, Audit.State.STOPPED, "its worker was stopped")
        raise
    message = _said(outcome, repaired)
    conclude(kept, outcome, repaired=repaired, message=message)
    return message


def _auditor(session: Session, job: Job) -> Auditor:
    connector = session.connector
    left_out = Quarantine.objects.filter(connector=connector)
    reading = LogReading(session.reader)
    fold = LogFold(
        reading,
        session.preparation,
        job.report,
        skip=frozenset(left_out.values_list("topic", "partition", "offset")),
        replaces=session.definition.mode == "table",
    )
    return Auditor(
        name=connector.name,
        sink=session.sink,
        reading=reading,
        fold=fold,
        preparation=session.preparation,
        progress=job.report,
        compacted=lambda topic: begins_later(session, topic),
        compacts=lambda topic: _compacts(connector, topic),
    )


def _compacts(connector: Connector, topic: str) -> bool:
    """Whether compaction removes records of a topic, whatever else does."""
    policy = Topic.objects.filter(cluster=connector.cluster, name=topic)
    return "compact" in (policy.values_list("cleanup_policy", flat=True).first() or "")


def _repair(job: Job, session: Session, auditor: Auditor, outcome: Outcome) -> int:
    if outcome.differing > MOST_DIFFERENCES:
        raise CopyDivergedError(
            f"{outcome.differing} keys differ; more than {MOST_DIFFERENCES} are not repaired one "
            "by one: regenerate"
        )
    live = outcome.moment.live
    if live is None:
        return 0
    repair = Repair(
        job.connector.name,
        session.sink,
        auditor,
        auditor.fold,
        job.report,
        session.definition.columns,
    )
    return repair.run(live, outcome.differences)


def _said(outcome: Outcome, repaired: int) -> str:
    rest = f"; {numbered(outcome.unjudged, 'key')} cannot be judged" if outcome.unjudged else ""
    if not outcome.differing:
        return (
            f"equal to the log: {numbered(outcome.copy.rows, 'row')}, digest {outcome.copy}{rest}"
        )
    counts = ", ".join(f"{count} {kind}" for kind, count in outcome.counts.items() if count)
    if repaired:
        return f"{numbered(repaired, 'key')} repaired and equal to the log again ({counts}){rest}"
    differing = "1 key differs" if outcome.differing == 1 else f"{outcome.differing:,} keys differ"
    return f"diverged: {differing} from the log ({counts}){rest}"


AUDIT = RunKind("audit", engine.PHASES, audit)
REPAIR = RunKind("repair", (*engine.PHASES, *repairing.PHASES), repair)
