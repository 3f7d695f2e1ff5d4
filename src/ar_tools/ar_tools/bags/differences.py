"""How two decoded messages of one type differ: the first field, and numbers that mean something for their kind."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ar_tools.bags.decode import picture

# What is measured, in the order of the table; (name, unit, format)
METRICS = ("IoU", "mm", "degrees", "mean difference", "largest difference", "differing pixels %")
SMALLER_IS_WORSE = {"IoU"}


def first_field(one: Any, other: Any, path: str = "") -> str:
    """The first field that differs, as ``path: a, b``; empty if the contents are equal (NaN equals NaN)."""
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return _first_element(one, other, path)
    if isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            return f"{path}: {len(one)} elements, {len(other)} elements"
        parts = [(f"{path}[{i}]", a, b) for i, (a, b) in enumerate(zip(one, other, strict=True))]
    elif hasattr(one, "__dataclass_fields__"):
        dot = path + "." if path else ""
        names = [name for name in one.__dataclass_fields__ if not name.startswith("__")]
        parts = [(dot + name, getattr(one, name), getattr(other, name, None)) for name in names]
    else:
        equal = one == other or (isinstance(one, float) and isinstance(other, float) and one != one and other != other)
        return "" if equal else f"{path}: {_short(one)}, {_short(other)}"
    for name, a, b in parts:
        found = first_field(a, b, name)
        if found:
            return found
    return ""


def _first_element(one: NDArray[Any], other: NDArray[Any], path: str) -> str:
    if one.shape != other.shape:
        return f"{path}: {one.size} elements, {other.size} elements"
    unequal = one != other
    if one.dtype.kind == "f":
        unequal &= ~(np.isnan(one) & np.isnan(other))
    count = int(np.count_nonzero(unequal))
    if not count:
        return ""
    i = int(np.argmax(unequal))
    return f"{path}[{i}]: {_short(one[i])}, {_short(other[i])} ({count} of {one.size} differ)"


def _short(value: Any) -> str:
    if isinstance(value, np.generic):
        value = value.item()
    text = f"{value:.9g}" if isinstance(value, float) else repr(value)
    return text if len(text) <= 40 else text[:37] + "…"


def measure(one: Any, other: Any) -> dict[str, float]:
    """The metrics that apply to messages of this kind: of pictures, masks (one channel: IoU too) and poses."""
    found: dict[str, float] = {}
    a, b = picture(one), picture(other)
    if a is not None and b is not None:
        found |= compare_pictures(a, b)
    poses = [(_pose(one), _pose(other))] if hasattr(one, "pose") else _transforms(one, other)
    pairs = [(p, q) for p, q in poses if p is not None and q is not None]
    if pairs:
        found["mm"] = max(float(np.linalg.norm(p[:3] - q[:3])) * 1e3 for p, q in pairs)
        found["degrees"] = max(angle(p[3:], q[3:]) for p, q in pairs)
    return found


def compare_pictures(a: NDArray[Any], b: NDArray[Any]) -> dict[str, float]:
    """Differences of two pictures of one size; nothing if the sizes differ."""
    if a.shape != b.shape:
        return {}
    difference = np.abs(a.astype(np.float32) - b.astype(np.float32))
    found = {
        "mean difference": float(difference.mean()),
        "largest difference": float(difference.max()),
        "differing pixels %": float((difference.reshape(*a.shape[:2], -1) > 0).any(axis=2).mean()) * 100,
    }
    if a.ndim == 2 and a.dtype == np.uint8:
        one, other = a > 127, b > 127
        union = np.count_nonzero(one | other)
        found["IoU"] = np.count_nonzero(one & other) / union if union else 1.0
    return found


def angle(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Degrees between two orientations given as quaternions (x, y, z, w), which need not be of unit length."""
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    if norm == 0.0 or not math.isfinite(norm):
        return math.nan
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    if float(a @ b) < 0:
        b = -b
    return math.degrees(4 * math.asin(min(1.0, float(np.linalg.norm(a - b)) / 2)))


def _pose(message: Any) -> NDArray[np.float64] | None:
    """x, y, z and the quaternion of a message with a pose, however deep it lies."""
    while hasattr(message, "pose"):
        message = message.pose
    if not hasattr(message, "position") or not hasattr(message, "orientation"):
        return None
    return _seven(message.position, message.orientation)


def _transforms(one: Any, other: Any) -> list[tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]]:
    if not hasattr(one, "transforms"):
        return []
    frames = {t.child_frame_id: t.transform for t in other.transforms}
    return [
        (_seven(t.transform.translation, t.transform.rotation), _seven(match.translation, match.rotation))
        for t in one.transforms
        if (match := frames.get(t.child_frame_id)) is not None
    ]


def _seven(p: Any, q: Any) -> NDArray[np.float64]:
    return np.array([p.x, p.y, p.z, q.x, q.y, q.z, q.w], np.float64)
