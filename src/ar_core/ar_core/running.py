"""Run a node as a process: spin until it is told to stop, leave with exit code 0."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.utilities import ok, try_shutdown

from ar_core.profiler import Profiler
from ar_core.waiting import Waiter

# Messages come in bursts: image and camera_info, pose and status. Waking up costs a weak core some 0.3 ms; so after the
# first the others are waited for, and taken together. With one frame on its way there is nobody to save cores for.
COALESCE_S = 0.001
PROFILE = "TSUKUMO_PROFILE"  # in the environment: a folder for what ``profiler`` finds


def run(make_node: Callable[[], Any]) -> None:
    """Make the node, bring it to *active* if it is a stage with ``autostart``, spin until SIGINT or SIGTERM."""
    check_middleware()
    # rclpy's own handler ends the spinning. Python's would raise KeyboardInterrupt wherever the thread happens to be.
    signal.signal(signal.SIGINT, lambda *_: None)
    rclpy.init()
    node, profiler = None, None
    try:
        node = make_node()
        if getattr(node, "autostart", False) and node.trigger_configure().name == "SUCCESS":
            node.trigger_activate()
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        if os.environ.get(PROFILE):
            profiler = Profiler()
        waiter = Waiter(node, executor)
        while ok():
            waiter.turn()
            drain = getattr(node, "drain", None)
            if drain is not None:
                if getattr(node, "lockstep", 0) != 1:
                    time.sleep(COALESCE_S)
                drain()
    except ExternalShutdownException:
        pass
    except RuntimeError:  # shut down in the middle of taking a message
        if ok():
            raise
    finally:
        for sign in (signal.SIGINT, signal.SIGTERM):
            signal.signal(sign, signal.SIG_IGN)  # already on the way out
        if profiler is not None and node is not None:
            profiler.stop(Path(os.environ[PROFILE]) / f"{node.get_name()}.folded")
        if node is not None:
            if hasattr(node, "stop"):
                node.stop()
            node.destroy_node()
        try_shutdown()


def check_middleware() -> None:
    """The wheels bring Fast DDS only; another RMW_IMPLEMENTATION would end the process with a cryptic code 102."""
    wanted = os.environ.get("RMW_IMPLEMENTATION", "rmw_fastrtps_cpp")
    if wanted != "rmw_fastrtps_cpp" and "AMENT_PREFIX_PATH" not in os.environ:
        sys.exit(f"RMW_IMPLEMENTATION={wanted} is not part of this installation: unset RMW_IMPLEMENTATION")
