"""``metadata.yaml`` as ROS 2 Jazzy writes it (version 9), and read from version 1 on.

Keys, their order and the writing of values follow what Jazzy's rosbag2 0.26 writes (rosbag2_storage/yaml.hpp: version,
storage_identifier, duration, starting_time, message_count, topics_with_message_count, compression, relative_file_paths,
files, custom_data, ros_distro); the test holds a bag's metadata.yaml that a Jazzy system wrote and that is public.
Written by hand, not by PyYAML: the text is the same as yaml-cpp's, and it costs 0.1 ms instead of 30.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from ar_tools.bags.model import INFINITE_NS, BagError, FileRecord, Metadata, Qos, Topic

VERSION = 9
FILE_NAME = "metadata.yaml"
# Numbers of the policies in bags before version 9 (rmw/types.h).
HISTORY = ("system_default", "keep_last", "keep_all", "unknown")
RELIABILITY = ("system_default", "reliable", "best_effort", "unknown")
DURABILITY = ("system_default", "transient_local", "volatile", "unknown")
LIVELINESS = ("system_default", "automatic", "manual_by_node", "manual_by_topic", "unknown")
PLAIN = re.compile(r"[A-Za-z_/][\w/.-]*")
RESERVED = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


def qos_lines(profiles: Iterable[Qos], indent: str = "") -> list[str]:
    """Offered profiles as lines of YAML, the first key of each behind a dash."""
    lines = []
    for qos in profiles:
        lines += [
            f"{indent}- history: {qos.history}",
            f"{indent}  depth: {qos.depth}",
            f"{indent}  reliability: {qos.reliability}",
            f"{indent}  durability: {qos.durability}",
            *_time(f"{indent}  deadline", qos.deadline_ns),
            *_time(f"{indent}  lifespan", qos.lifespan_ns),
            f"{indent}  liveliness: {qos.liveliness}",
            *_time(f"{indent}  liveliness_lease_duration", qos.lease_ns),
            f"{indent}  avoid_ros_namespace_conventions: {'true' if qos.avoid_ros_namespace_conventions else 'false'}",
        ]
    return lines


def qos_text(profiles: Iterable[Qos]) -> str:
    """Offered profiles as the storage files hold them."""
    return "\n".join(qos_lines(profiles)) or "[]"


def _time(name: str, ns: int) -> list[str]:
    indent = " " * (len(name) - len(name.lstrip()) + 2)
    return [f"{name}:", f"{indent}sec: {ns // 1_000_000_000}", f"{indent}nsec: {ns % 1_000_000_000}"]


def _word(text: str) -> str:
    return text if PLAIN.fullmatch(text) and text.lower() not in RESERVED else json.dumps(text)


def dump(metadata: Metadata) -> str:
    """The value of ``rosbag2_bagfile_information``, as it stands inside storage files."""
    lines = [
        f"version: {VERSION}",
        f"storage_identifier: {metadata.storage}",
        f"duration:\n  nanoseconds: {metadata.duration}",
        f"starting_time:\n  nanoseconds_since_epoch: {metadata.start}",
        f"message_count: {metadata.messages}",
        "topics_with_message_count:" + ("" if metadata.topics else " []"),
    ]
    for topic in metadata.topics.values():
        lines += [
            "  - topic_metadata:",
            f"      name: {_word(topic.name)}",
            f"      type: {_word(topic.type)}",
            f"      serialization_format: {_word(topic.serialization)}",
            "      offered_qos_profiles:" + ("" if topic.qos else " []"),
            *qos_lines(topic.qos, "        "),
            f"      type_description_hash: {_word(topic.type_hash)}",
            f"    message_count: {metadata.counts.get(topic.name, 0)}",
        ]
    lines += [
        f"compression_format: {_word(metadata.compression_format)}",
        f"compression_mode: {_word(metadata.compression_mode)}",
        "relative_file_paths:",
        *(f"  - {_word(file.path)}" for file in metadata.files),
        "files:",
    ]
    for file in metadata.files:
        lines += [
            f"  - path: {_word(file.path)}",
            "    starting_time:",
            f"      nanoseconds_since_epoch: {file.start}",
            "    duration:",
            f"      nanoseconds: {file.duration}",
            f"    message_count: {file.messages}",
        ]
    lines += ["custom_data: ~", f"ros_distro: {_word(metadata.ros_distro)}"]
    return "\n".join(lines)


def write(folder: Path, metadata: Metadata) -> None:
    """Write ``metadata.yaml`` so that at every moment either the old or the new one is there whole; OSError."""
    text = "rosbag2_bagfile_information:\n" + "".join(f"  {line}\n" for line in dump(metadata).splitlines())
    new = folder / (FILE_NAME + ".new")
    try:
        new.write_text(text)
        os.replace(new, folder / FILE_NAME)
    except OSError:
        new.unlink(missing_ok=True)
        raise


def read(folder: Path) -> Metadata:
    """The metadata of a bag; BagError in words if it is missing, empty or no such thing."""
    file = folder / FILE_NAME
    try:
        text = file.read_bytes().decode()
    except FileNotFoundError:
        raise BagError(f"{folder}: there is no {FILE_NAME}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BagError(f"{file}: cannot be read ({error})") from None
    try:
        return parse(yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        what = "it is empty" if not text.strip() else " ".join(str(error).split())[:120]
        raise BagError(f"{file}: is no metadata of a bag ({what})") from None


def parse(document: Any) -> Metadata:
    """Metadata from the loaded YAML; KeyError, TypeError or ValueError if something is not as it should be."""
    node = document["rosbag2_bagfile_information"]
    files = [
        FileRecord(
            str(f["path"]),
            int(f["message_count"]),
            start := int(f["starting_time"]["nanoseconds_since_epoch"]),
            start + int(f["duration"]["nanoseconds"]),
        )
        for f in node.get("files") or []
    ]
    paths = [str(path) for path in node["relative_file_paths"]]
    if [Path(file.path).name.removesuffix(".zstd") for file in files] != [
        Path(path).name.removesuffix(".zstd") for path in paths
    ]:
        start = int(node["starting_time"]["nanoseconds_since_epoch"])  # before version 5: only the sums
        files = [FileRecord(path) for path in paths]
        files[0].messages, files[0].start = int(node["message_count"]), start
        files[0].end = start + int(node["duration"]["nanoseconds"])
    else:
        for file, path in zip(files, paths, strict=True):
            file.path = path
    topics, counts = {}, {}
    for entry in node["topics_with_message_count"] or []:
        t = entry["topic_metadata"]
        topic = Topic(
            str(t["name"]),
            str(t["type"]),
            parse_qos(t.get("offered_qos_profiles")),
            str(t.get("type_description_hash") or ""),
            str(t.get("serialization_format") or "cdr"),
        )
        topics[topic.name], counts[topic.name] = topic, int(entry["message_count"])
    return Metadata(
        str(node["storage_identifier"]),
        files,
        topics,
        counts,
        str(node.get("ros_distro") or ""),
        str(node.get("compression_format") or ""),
        str(node.get("compression_mode") or "").lower(),
    )


def parse_qos(node: Any) -> tuple[Qos, ...]:
    """Offered profiles from a list, or from the YAML text that older versions and the storage files hold."""
    if isinstance(node, str):
        node = yaml.load(node, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return tuple(
        Qos(
            reliability=_policy(q["reliability"], RELIABILITY),
            durability=_policy(q["durability"], DURABILITY),
            history=_policy(q["history"], HISTORY),
            depth=int(q["depth"]),
            deadline_ns=_duration(q["deadline"]),
            lifespan_ns=_duration(q["lifespan"]),
            liveliness=_policy(q["liveliness"], LIVELINESS),
            lease_ns=_duration(q["liveliness_lease_duration"]),
            avoid_ros_namespace_conventions=bool(q["avoid_ros_namespace_conventions"]),
        )
        for q in node or []
    )


def _policy(value: Any, words: tuple[str, ...]) -> str:
    if isinstance(value, int):
        return words[value] if 0 <= value < len(words) else "unknown"
    return str(value) if value in words else "unknown"


def _duration(node: Any) -> int:
    ns = int(node["sec"]) * 1_000_000_000 + int(node["nsec"])
    return INFINITE_NS if ns == 0 or ns >= 2**31 * 1_000_000_000 - 1 else ns  # Foxy wrote other infinities
