"""Texts and hashes of the message types that are installed here, from the share folders of their packages."""

from __future__ import annotations

import functools
import json
import os
import re
import sys
from pathlib import Path

from ar_tools.bags.model import Definition

PRIMITIVE = {"bool", "byte", "char", "float32", "float64", "string", "wstring"} | {
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}
FIELD = re.compile(r"^[ \t]*([A-Za-z]\w*(?:/\w+)*)(?:<=\d+)?(?:\[[^\]]*\])?[ \t]+[A-Za-z]", re.MULTILINE)
SEPARATOR = "=" * 80


def _share_folders() -> list[Path]:
    """A sourced ROS names its prefixes; the wheels install below the virtual environment."""
    named = [prefix for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if prefix]
    return [Path(prefix) / "share" for prefix in (*named, sys.prefix)]


def _file(type_name: str, suffix: str) -> Path | None:
    package, _, name = type_name.replace("/msg/", "/").partition("/")
    return next((f for share in _share_folders() if (f := share / package / "msg" / f"{name}{suffix}").is_file()), None)


def _dependencies(text: str, package: str) -> list[str]:
    """``package/Name`` of the types that a .msg text uses, sorted, as rosbag2's set of them is."""
    found = {name for name in FIELD.findall(text) if name not in PRIMITIVE}
    return sorted(name if "/" in name else f"{package}/{name}" for name in found)


@functools.cache
def definition(type_name: str) -> Definition:
    """The definition of an installed message type in rosbag2's layout; with an empty text if it is not installed."""
    seen: set[str] = set()

    def collect(name: str) -> str:
        file = _file(name, ".msg")
        if file is None:
            raise FileNotFoundError(name)
        text = file.read_bytes().decode()
        parts = [text]
        for dependency in _dependencies(text, name.partition("/")[0]):
            if dependency not in seen:
                seen.add(dependency)
                parts.append(f"\n{SEPARATOR}\nMSG: {dependency}\n{collect(dependency)}")
        return "".join(parts)

    try:
        return Definition(type_name, collect(type_name), "ros2msg", _hash(type_name))
    except (FileNotFoundError, UnicodeDecodeError):
        return Definition(type_name, "", "ros2msg", _hash(type_name))


def _hash(type_name: str) -> str:
    file = _file(type_name, ".json")
    if file is None:
        return ""
    hashes = {entry["type_name"]: entry["hash_string"] for entry in json.loads(file.read_text())["type_hashes"]}
    return str(hashes.get(type_name, ""))
