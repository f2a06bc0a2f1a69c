from broker.observe import Batch, Partition
from lineage.sampling.traces import Traces


def batch(topic: str, at: int, *traces: str, producer_id: int = 1) -> Batch:
    return Batch(Partition(topic, 0), 0, 1, at, producer_id, False, traces=frozenset(traces))


def test_a_trace_seen_earlier_elsewhere_is_where_a_record_came_from() -> None:
    traces = Traces()
    assert traces.follow(batch("orders", 10, "a", "b")) == frozenset()
    assert traces.follow(batch("invoices", 20, "b", producer_id=2)) == {"orders"}
    # known of that writer from then on, with or without a trace that goes on
    assert traces.follow(batch("invoices", 30, "x", producer_id=2)) == {"orders"}
    assert traces.follow(batch("invoices", 30, "x", producer_id=3)) == frozenset()


def test_the_same_time_tells_no_order() -> None:
    traces = Traces()
    traces.follow(batch("orders", 10, "a"))
    assert traces.follow(batch("copy", 10, "a", producer_id=2)) == frozenset()


def test_old_traces_are_forgotten() -> None:
    traces = Traces(remembered=1)
    traces.follow(batch("orders", 10, "a"))
    traces.follow(batch("orders", 11, "b"))
    assert traces.follow(batch("copy", 20, "a", producer_id=2)) == frozenset()
