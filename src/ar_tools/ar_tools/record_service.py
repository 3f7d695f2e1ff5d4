"""Bags on request: a node that begins and ends them when a robot or the page asks.

Services ``record/start`` (ar_interfaces/RecordBag) and ``record/stop`` (std_srvs/Trigger); ``record/status``
(ar_interfaces/RecordStatus, latched) says where, how much, for how long, or in words what is wrong.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from std_msgs.msg import Header
from std_srvs.srv import Trigger

from ar_core import qos
from ar_core.folders import recordings_folder
from ar_core.parameters import parameter
from ar_core.stage import Stage, run
from ar_interfaces.msg import RecordStatus
from ar_interfaces.srv import RecordBag
from ar_tools import contract
from ar_tools.bags.writer import BagWriter, ros_distro
from ar_tools.record import BagRecorder, keep_memory
from ar_tools.recording import Limits, Recording

STATUS_S = 0.5


@dataclass(frozen=True)
class Parameters:
    """Parameters of the recorder of topics."""

    recordings: str = parameter("", "folder of the bags; empty: ~/.local/share/tsukumo/recordings")
    largest_mb: float = parameter(
        10000.0,
        "largest bag where the request names no size, megabytes; 0: none is too large",
        minimum=0.0,
        maximum=1e9,
    )


class RecordService(Stage[Parameters]):
    """One bag at a time, in a thread of its own."""

    def on_start(self) -> None:
        """The services, and the first status: nothing is being recorded."""
        self.folder = recordings_folder(self.parameters.recordings)
        self.lock = threading.Lock()  # requests come in the worker thread, the ticks in the executor's
        self.ending = threading.Event()
        self.thread: threading.Thread | None = None
        self.recording: Recording
        self.recorder: BagRecorder
        self.newest = RecordStatus()
        self.status = self.advertise(RecordStatus, "record/status", qos.latched())
        self.serve(RecordBag, "record/start", self.begin)
        self.serve(Trigger, "record/stop", self.end)
        self.ticker = self.create_timer(STATUS_S, self.tell)
        self.status.publish(self.newest)

    def on_stop(self) -> None:
        """Finish the bag."""
        self.destroy_timer(self.ticker)
        self.finish()

    def begin(self, request: RecordBag.Request, response: RecordBag.Response) -> RecordBag.Response:
        """Begin a bag; ValueError, in words, if that cannot be."""
        if self.thread is not None:
            raise ValueError(f"{self.recording.writer.folder} is being recorded; end that first")
        folder = self.folder / (request.path or time.strftime("bag-%Y%m%d-%H%M%S"))
        size = request.max_size or round(self.parameters.largest_mb * 1e6)
        limits = Limits(size, request.max_duration, request.split_size, request.split_duration)
        keep_memory()
        writer = BagWriter(folder, request.storage or "mcap", ros_distro=ros_distro())
        try:
            topics = list(request.topics) or contract.topics(compressed=request.compressed)
            self.recorder = BagRecorder(topics, writer, beside=self)
        except Exception as error:  # a name that is no topic's
            writer.close()
            raise ValueError(f"{folder}: cannot be recorded: {' '.join(str(error).split())}") from None
        with self.lock:
            self.recording = Recording(self.recorder, writer, limits)
            self.ending = threading.Event()
            self.thread = threading.Thread(target=self.recording.run, args=(self.ending,), name="bag")
            self.thread.start()
        self.tell()
        response.success, response.path = True, str(folder)
        return response

    def end(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """End the bag; answers when it is whole."""
        if self.thread is None:
            raise ValueError("nothing is being recorded")
        self.finish()
        response.success, response.message = not self.recording.problem, self.recording.problem or self.newest.path
        return response

    def finish(self) -> None:
        """End the bag, if there is one, and say how it went."""
        self.ending.set()
        if self.thread is not None:
            self.thread.join()
        self.tell()

    def tell(self) -> None:
        """Publish how the bag does, while there is one and once when it has ended."""
        with self.lock:
            if self.thread is None:
                return
            recording, running = self.recording, self.thread.is_alive()
            message = recording.problem
            if not running:
                self.thread = None
                self.recorder.destroy_node()
                message = message or ("the limit is reached" if recording.limit_reached else "")
            self.newest = RecordStatus(
                header=Header(stamp=self.get_clock().now().to_msg()),
                recording=running,
                path=str(recording.writer.folder),
                messages=recording.messages,
                size=recording.size,
                seconds=recording.seconds,
                message=message,
            )
            self.notes["recording"] = self.newest.path if running else ""
            if self.context.ok():  # else this process is ending
                self.status.publish(self.newest)


def main() -> None:
    """Entry point."""
    run(lambda: RecordService("record", Parameters))
