"""Several stages in one process: ``together PACKAGE…``, each with a ``make()`` in its module ``node`` that makes the node.

What one of them publishes of pictures, the others get as it is, without a copy; whoever is in another process gets it too.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any

from rclpy.utilities import remove_ros_args

from ar_core.handover import HANDOVER
from ar_core.running import run_together

# By package, what is handed over: all of a frame that is large, and what has to come before it.
PICTURES = {"ar_camera": ("camera/camera_info", "camera/image_raw"), "ar_segment": ("segment/mask",)}


def maker(package: str) -> Callable[[], Any]:
    """What makes a package's node; ValueError, in words, if it cannot share a process."""
    try:
        module = importlib.import_module(f"{package}.node")
    except ModuleNotFoundError as error:
        raise ValueError(f"there is no module {error.name}") from None
    make: Callable[[], Any] | None = getattr(module, "make", None)
    if make is None:
        raise ValueError(
            f"{package}.node has no make(), so it cannot share a process: use composition:=separate, or add it"
        )
    return make


def main() -> None:
    """Entry point."""
    packages = remove_ros_args(sys.argv)[1:]
    try:
        makers = [maker(package) for package in packages]
    except ValueError as error:
        sys.exit(f"tsukumo: {error}")
    HANDOVER.within(topic for package in packages for topic in PICTURES.get(package, ()))
    run_together(makers)
