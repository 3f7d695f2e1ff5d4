"""Run nodes as a process: spin until it is told to stop, leave with exit code 0."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
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
Make = Callable[[], Any]


def run(make_node: Make) -> None:
    """Make the node, bring it to *active* if it is a stage with ``autostart``, spin until SIGINT or SIGTERM."""
    with _Process() as process:
        process.live(make_node)


def run_together(makers: Sequence[Make]) -> None:
    """The same with several nodes, each in a thread of its own. When one ends with an error, all end: exit code 1."""
    with _Process() as process:
        threads = [threading.Thread(target=process.share, args=(make,), name="node") for make in makers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    sys.exit(process.failed)


class _Process:
    """What the nodes of a process share: the middleware, signals, the profiler; at the end all nodes are stopped."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.failed = 0
        self._making = threading.Lock()
        self._profiler: Profiler | None = None

    def __enter__(self) -> _Process:
        check_middleware()
        # rclpy's own handler ends the spinning. Python's would raise KeyboardInterrupt wherever the thread happens to be.
        signal.signal(signal.SIGINT, lambda *_: None)
        rclpy.init()
        if os.environ.get(PROFILE):
            self._profiler = Profiler()
        return self

    def __exit__(self, *_: object) -> None:
        for sign in (signal.SIGINT, signal.SIGTERM):
            signal.signal(sign, signal.SIG_IGN)  # already on the way out
        if self._profiler is not None:
            self._profiler.stop(
                Path(os.environ[PROFILE]) / f"{'+'.join(node.get_name() for node in self.nodes)}.folded"
            )
        for node in self.nodes:
            if hasattr(node, "stop"):
                node.stop()
        for node in self.nodes:
            node.destroy_node()
        try_shutdown()

    def live(self, make_node: Make) -> None:
        """One node's life, until it is told to stop."""
        self._spin(self._made(make_node))

    def share(self, make_node: Make) -> None:
        """The life of one of several; what ends it in an error ends all."""
        try:
            with self._making:
                node = self._made(make_node)
            node.alone = False
            node.threads.append(threading.get_native_id())
            self._spin(node)
        except BaseException:  # SystemExit too: a thread would end without a word, and the others go on without it
            traceback.print_exc()
            self.failed = 1
            try_shutdown()

    def _made(self, make_node: Make) -> Any:
        node = make_node()
        self.nodes.append(node)
        return node

    def _spin(self, node: Any) -> None:
        executor = SingleThreadedExecutor()
        waiter = Waiter(node, executor)
        try:
            if getattr(node, "autostart", False) and node.trigger_configure().name == "SUCCESS":
                node.trigger_activate()
            executor.add_node(node)
            drain = getattr(node, "drain", None)
            while ok():
                waiter.turn()
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
            waiter.close()


def check_middleware() -> None:
    """The wheels bring Fast DDS only; another RMW_IMPLEMENTATION would end the process with a cryptic code 102."""
    wanted = os.environ.get("RMW_IMPLEMENTATION", "rmw_fastrtps_cpp")
    if wanted != "rmw_fastrtps_cpp" and "AMENT_PREFIX_PATH" not in os.environ:
        sys.exit(f"RMW_IMPLEMENTATION={wanted} is not part of this installation: unset RMW_IMPLEMENTATION")
