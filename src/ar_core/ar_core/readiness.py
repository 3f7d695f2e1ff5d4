"""Whether a graph is complete: for whoever sends the first picture, which nobody may miss."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.node import Node

UNKNOWN = "_NODE_NAME_UNKNOWN_"  # what the middleware says of a publisher whose node it has not heard of yet
# In a stage's diagnostics: its inputs without a publisher, all its inputs, how many read each output.
UNHEARD, HEARS, READ = "nobody publishes", "hears", "read by"


class Readiness:
    """Waits for publishers of `topics`, for the stages behind them, and until these have found `links` and each other.

    stages: further ones that have to be there, and that all hear each other's reports, as in lock-step. There it is asked
    from both sides: a publisher may not know yet of a subscription that knows of it already.
    Give ``hear`` every message of ``/diagnostics``.
    """

    def __init__(self, node: Node, topics: Iterable[str], links: Iterable[str], stages: Iterable[str] = ()) -> None:
        self._node = node
        self._topics = [node.resolve_topic_name(topic) for topic in topics]
        self._stages = set(stages)
        reports = (f"{stage}/report" for stage in self._stages)
        self._links = {*self._topics, *(node.resolve_topic_name(link) for link in (*links, *reports))}
        self._states: dict[str, str] = {}
        self._unheard: dict[str, set[str]] = {}  # what each stage would like to hear
        self._hears: dict[str, set[str]] = {}
        self._read: dict[str, dict[str, int]] = {}  # topic and how many read it
        self.errors: dict[str, str] = {}  # why a stage cannot work

    def hear(self, message: DiagnosticArray) -> None:
        """Who is active, whom they hear, who has failed."""
        for status in message.status:
            values = {pair.key: pair.value for pair in status.values}
            name = status.name.removeprefix("tsukumo: ")
            self._states[name] = values.get("state", "")
            self._unheard[name] = set(values.get(UNHEARD, "").split(", "))
            self._hears[name] = set(values.get(HEARS, "").split(", "))
            pairs = (pair.rsplit(" ", 1) for pair in values.get(READ, "").split(", ") if pair)
            self._read[name] = {topic: int(n) for topic, n in pairs}
            self.errors.pop(name, None)
            if status.level == DiagnosticStatus.ERROR:
                self.errors[name] = status.message

    def missing(self) -> str:
        """What is not there yet: publishers, stages that are active, and that these have found what they listen to."""
        nodes = {
            topic: [info.node_name for info in self._node.get_publishers_info_by_topic(topic)] for topic in self._topics
        }
        unserved = [topic for topic, names in nodes.items() if not names or UNKNOWN in names]
        if unserved:
            return "a publisher of " + ", ".join(unserved)
        stages = {node for names in nodes.values() for node in names if self._node.count_publishers(f"{node}/report")}
        stages |= self._stages
        idle = sorted(stage for stage in stages if self._states.get(stage) != "active")
        if idle:
            return ", ".join(idle) + " to be active"
        deaf = sorted(stage for stage in stages if self._unheard.get(stage, set()) & self._links)
        if deaf:
            return ", ".join(deaf) + " to find all others"
        unfound = sorted(self._unfound(stages))
        return "all to find " + ", ".join(unfound) if unfound else ""

    def _unfound(self, stages: set[str]) -> set[str]:
        """In lock-step: topics of which not every stage that hears them is known to their publisher."""
        hearers = Counter(topic for stage in stages for topic in self._hears.get(stage, ()) if topic)
        known = [pair for stage in stages for pair in self._read.get(stage, {}).items()]
        own = [(p.topic_name, p.get_subscription_count()) for p in self._node.publishers if p.topic_name in self._links]
        short = {topic for topic, n in own if n < hearers[topic]}
        return short | {t for t, n in known if t in hearers and n < max(hearers[t], self._node.count_subscribers(t))}
