"""``tsukumo bag info``: what is in a bag."""

from __future__ import annotations

import datetime
from pathlib import Path

from ar_tools.bags.reader import Bag


def info(path: Path) -> str:
    """Files, times, topics with their types, counts and offered QoS, for the terminal; BagError."""
    with Bag(path) as bag:
        start, end = bag.span
        total = sum(bag.counts.values())
        bytes_ = sum(file.stat().st_size for file in bag.files)
        lines = [
            f"files     {', '.join(file.name for file in bag.files)}",
            f"size      {bytes_ / 1e6:.1f} MB, {bag.storage}",
            f"distro    {bag.metadata.ros_distro if bag.metadata else 'unknown (no metadata.yaml)'}",
            f"start     {datetime.datetime.fromtimestamp(start / 1e9).isoformat(' ', 'milliseconds') if total else '-'}",
            f"duration  {(end - start) / 1e9:.3f} s",
            f"messages  {total}",
        ]
        width = max(map(len, bag.topics), default=0)
        wide = max((len(topic.type) for topic in bag.topics.values()), default=0)
        for name in sorted(bag.topics):
            topic = bag.topics[name]
            qos = ", ".join(sorted({f"{q.reliability} {q.durability}" for q in topic.qos})) or "QoS unknown"
            lines.append(f"  {name:<{width}}  {topic.type:<{wide}}  {bag.counts.get(name, 0):>7}  {qos}")
        return "\n".join(lines)
