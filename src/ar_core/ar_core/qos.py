"""The three qualities of service of the topic contract, and what becomes of them in lock-step."""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy


def sensor(depth: int = 5) -> QoSProfile:
    """Best effort: for consumers of pictures, who want the newest and not all."""
    return QoSProfile(depth=depth, history=HistoryPolicy.KEEP_LAST, reliability=ReliabilityPolicy.BEST_EFFORT)


def reliable(depth: int = 10) -> QoSProfile:
    """Reliable, volatile: for publishers of everything, and for consumers of small messages."""
    return QoSProfile(depth=depth, history=HistoryPolicy.KEEP_LAST, reliability=ReliabilityPolicy.RELIABLE)


def latched(depth: int = 1) -> QoSProfile:
    """Reliable and transient local: late joiners get the last ``depth`` messages."""
    return QoSProfile(
        depth=depth,
        history=HistoryPolicy.KEEP_LAST,
        reliability=ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.TRANSIENT_LOCAL,
    )


def deep(profile: QoSProfile | None) -> QoSProfile:
    """For lock-step: nothing may be lost."""
    return latched(200) if profile is not None and profile.durability == latched().durability else reliable(200)
