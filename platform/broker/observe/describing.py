"""How each of the four kinds of group is described, and what its members read."""

import struct
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from kafka import KafkaAdminClient
from kafka import errors as kafka_python
from kafka.protocol.admin import DescribeGroupsRequest
from kafka.protocol.consumer.metadata import ConsumerProtocolAssignment
from kafka.protocol.metadata import CoordinatorType

from broker.observe.found import Found, Group, GroupListing, Member
from broker.observe.messages import DESCRIPTIONS, KioRequest

_GROUPS_A_REQUEST = 200
_COORDINATOR_LOADING, _COORDINATOR_UNAVAILABLE, _NOT_COORDINATOR = 14, 15, 16
GROUP_GONE = 69


class Describing(KafkaAdminClient):  # type: ignore[misc]  # the library has no types
    """The describing part of the requests, on a client that cleans up when it cannot connect."""

    def __init__(self, **configs: Any) -> None:
        try:
            super().__init__(**configs)
        except kafka_python.KafkaError:
            # the library leaves its thread and sockets behind, one set for each attempt
            self._client.close()
            self._net.stop()
            raise

    async def _coordinators(
        self, names: Iterable[str], kind: Any = CoordinatorType.GROUP
    ) -> dict[int, list[str]]:
        routed: dict[int, list[str]] = defaultdict(list)
        for name, node in (await self._find_coordinator_ids(list(names), kind)).items():
            routed[node].append(name)
        return routed

    @staticmethod
    def _check_coordinator(code: int) -> None:
        """Raise when the coordinator moved: cached routes are wrong, and connections made anew."""
        if code in {_COORDINATOR_LOADING, _COORDINATOR_UNAVAILABLE, _NOT_COORDINATOR}:
            raise kafka_python.for_code(code)("the coordinator moved")

    def describe_groups(
        self, groups: Sequence[GroupListing], *_: Any, **__: Any
    ) -> Found[list[Group]]:
        """Describe groups of all kinds; a kind unknown here is left out with its reason."""
        return Found(*self._manager.run(self._describe_all, groups))

    async def _describe_all(
        self, groups: Sequence[GroupListing]
    ) -> tuple[list[Group], dict[str, str]]:
        found: list[Group] = []
        problems: dict[str, str] = {}
        by_kind: dict[str, list[GroupListing]] = defaultdict(list)
        for group in groups:
            by_kind[group.kind].append(group)
        for kind, listings in by_kind.items():
            if kind == "classic":
                await self._describe_classic(listings, found, problems)
            elif kind in DESCRIPTIONS:
                await self._describe_new(kind, listings, found, problems)
            else:
                problems |= {it.name: f"a group of an unknown kind: {kind}" for it in listings}
        return found, problems

    async def _describe_classic(
        self, listings: Sequence[GroupListing], found: list[Group], problems: dict[str, str]
    ) -> None:
        by_name = {listing.name: listing for listing in listings}
        async for node, names in self._routed(by_name):
            request = DescribeGroupsRequest(groups=names)
            answer = await self._manager.send(request, node_id=node)
            found += [
                _classic(by_name[group.group_id], group)
                for group in answer.groups
                if self._is_described(group, problems)
            ]

    async def _routed(
        self, names: Iterable[str], kind: Any = CoordinatorType.GROUP
    ) -> AsyncIterator[tuple[int, list[str]]]:
        """Yield coordinators, each with a request's worth of the names that it owns."""
        for node, owned in (await self._coordinators(names, kind)).items():
            for start in range(0, len(owned), _GROUPS_A_REQUEST):
                yield node, owned[start : start + _GROUPS_A_REQUEST]

    def _is_described(self, group: Any, problems: dict[str, str]) -> bool:
        """Whether a group was answered for; why not is told, unless it is gone by now."""
        code = int(group.error_code)
        self._check_coordinator(code)
        if code and code != GROUP_GONE:
            problems[group.group_id] = (
                getattr(group, "error_message", None) or kafka_python.for_code(code).__name__
            )
        return not code

    async def _describe_new(
        self,
        kind: str,
        listings: Sequence[GroupListing],
        found: list[Group],
        problems: dict[str, str],
    ) -> None:
        request_type, response_type = DESCRIPTIONS[kind]
        read = _streams if kind == "streams" else _modern
        by_name = {listing.name: listing for listing in listings}
        async for node, names in self._routed(by_name):
            request = request_type(group_ids=tuple(names), include_authorized_operations=False)
            answer = await self._manager.send(KioRequest(request, response_type), node_id=node)
            found += [
                read(by_name[group.group_id], group)
                for group in answer.groups
                if self._is_described(group, problems)
            ]


def _classic(listing: GroupListing, group: Any) -> Group:
    # the assignment of another protocol (Connect's, a registry's) is not ours to read
    readable = group.protocol_type == "consumer"
    return Group(
        listing,
        tuple(
            Member(
                member_id=member.member_id,
                client_id=member.client_id,
                host=member.client_host.lstrip("/"),
                topics=_assigned(member.member_assignment) if readable else frozenset(),
            )
            for member in group.members
        ),
        assignor=(group.protocol_data or "") if readable else "",
    )


def _assigned(assignment: bytes | None) -> frozenset[str]:
    if not assignment:
        return frozenset()
    try:
        decoded = ConsumerProtocolAssignment.decode(assignment)
    except (struct.error, ValueError, IndexError):
        return frozenset()
    return frozenset(part.topic for part in decoded.assigned_partitions if part.partitions)


def _modern(listing: GroupListing, group: Any) -> Group:
    return Group(
        listing,
        tuple(
            Member(
                member_id=member.member_id,
                client_id=member.client_id,
                host=member.client_host.lstrip("/"),
                topics=frozenset(
                    str(part.topic_name)
                    for part in member.assignment.topic_partitions
                    if part.partitions
                ),
            )
            for member in group.members
        ),
    )


def _streams(listing: GroupListing, group: Any) -> Group:
    """Read a topology (KIP-1071): sources per subtopology, what it repartitions and logs."""
    subtopologies = (group.topology.subtopologies or ()) if group.topology else ()
    sources = {
        it.subtopology_id: frozenset(map(str, it.source_topics))
        | frozenset(str(topic.name) for topic in it.repartition_source_topics)
        for it in subtopologies
    }
    members = tuple(
        Member(
            member_id=member.member_id,
            client_id=member.client_id,
            host=member.client_host.lstrip("/"),
            topics=frozenset().union(
                *(
                    sources.get(task.subtopology_id, frozenset())
                    for task in member.assignment.active_tasks
                )
            ),
        )
        for member in group.members
    )
    return Group(
        listing,
        members,
        reads=frozenset().union(*sources.values()),
        writes=frozenset(
            str(topic)
            for it in subtopologies
            for topic in (
                *it.repartition_sink_topics,
                *(changelog.name for changelog in it.state_changelog_topics),
            )
        ),
    )
