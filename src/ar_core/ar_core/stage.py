"""The base of every stage: what a node needs so that its own ``node.py`` reads like a table of contents.

>>> class Detect(Stage[Parameters]):
...     def on_start(self) -> None:                       # configure: models, topics
...         self.detector = Detector(load_card(self.parameters.model))
...         self.detections = self.advertise(Detection2DArray, "detections")
...         self.serve(Trigger, "detect/reset", self.reset)   # handler(request, response) -> response, in the worker thread
...         self.listen(TrackingStatus, "slam/status", self.on_status)   # side input, in the executor's thread
...         self.watch_camera()                           # camera/image_raw (+ camera_info) drive process()
...     def process(self, frame: Frame) -> None:          # worker thread, always the newest frame
...         boxes = self.detector(frame.image)
...         self.publish(self.detections, detection_message(boxes, frame.header))
...
>>> def main() -> None:
...     run(lambda: Detect("detect", Parameters))

What the base does:

- Lifecycle: ``on_start`` is *configure*, then *activate* starts the worker thread (``on_worker_start`` runs in it first: GL
  contexts live there), *deactivate* stops it (``on_worker_stop`` last in it), ``on_stop`` is *cleanup*. Goes active by
  itself unless ``autostart`` is false. A ValueError or OSError in ``on_start`` is one clear line and the node stays up,
  unconfigured.
- Frames: one worker thread takes the newest picture. ``process`` returns normally (published), raises ``Skip("why")``, or
  raises ValueError (bad input: one warning per kind, counted). Either way exactly one ``<stage>/report`` goes out per stamp.
  ``frame.image`` is bgr8 and read-only; ``frame.intrinsics`` is guessed from a field of view while there is no calibration.
  Stamps that do not grow are refused; a clock that keeps running at an earlier time (a bag that starts over) is accepted
  after 15 frames and ``on_time_jump`` is called.
- ``perform`` offers an action: each goal is a ``Task`` that the worker thread ends, some frames later.
- ``listen``/``serve``/``watch_camera`` guard their callbacks: whatever a bad message raises is one warning and a count.
- ``self.items = n`` in ``process`` says in the report how many things the result holds (boxes, inliers, characters shown).
- ``hold(complete, wait_s)``: a stage that joins works on frames that have their parts; ``nudge()`` when one came.
- ``self.pressed``: the machine is short of time; whoever can do with less work does (never in lock-step).
- ``submit(job)`` runs something between two frames in the worker thread.
- ``/diagnostics`` once a second: state, rate, latency p50/p99, skipped and rejected by reason, CPU, memory, ``self.notes``.
- ``self.event(stamp, kind, ...)`` publishes an ``events`` message: something took effect at that frame.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from rclpy.task import Future
from sensor_msgs.msg import CameraInfo, Image

from ar_core import qos
from ar_core.conversions import intrinsics_from, nanoseconds
from ar_core.ears import LOST_S, Ears
from ar_core.frame import Arrival, Frame, Skip
from ar_core.geometry import Intrinsics
from ar_core.handover import HANDOVER
from ar_core.mailbox import Hold, Mailbox
from ar_core.parameters import declare
from ar_core.readiness import UNHEARD
from ar_core.running import run
from ar_core.time_line import Order, TimeLine
from ar_core.voice import one_line
from ar_interfaces.msg import StageReport

__all__ = ["Frame", "Skip", "Stage", "run"]

P = TypeVar("P")
REPLACED = "a newer frame came first"
GUESSED = "guessed from a field of view of 68 degrees"


class Stage(Ears, Generic[P]):
    """A lifecycle node with one worker thread; see the module's text."""

    def __init__(self, name: str, parameters: type[P]) -> None:
        super().__init__(name)
        self.autostart = bool(self.declare_parameter("autostart", True).value)
        self.parameters: P = declare(self, parameters)
        self._mailbox: Mailbox[Arrival] = Mailbox()
        self._hold: Hold[Arrival] | None = None
        self._worker: threading.Thread | None = None
        self._intrinsics: Intrinsics | None = None
        self._time_line = TimeLine()
        self._at_frame = False
        self._ticks = 0
        self.create_timer(0.25, self._tick)

    # ---- for the stage to override

    def on_start(self) -> None:
        """Configure: load models, create topics and services."""

    def on_stop(self) -> None:
        """Clean up what ``on_start`` made, but for topics and services."""

    def on_worker_start(self) -> None:
        """First in the worker thread."""

    def on_worker_stop(self) -> None:
        """Last in the worker thread."""

    def process(self, frame: Frame) -> None:
        """One picture, in the worker thread."""
        raise NotImplementedError

    def on_time_jump(self) -> None:
        """The stamps went back and stay there: forget what was joined by stamp."""

    # ---- for the stage to use

    def advertise(self, kind: type, topic: str, profile: QoSProfile | None = None) -> Publisher:
        """A publisher; reliable, so that every consumer can choose."""
        publisher = self.create_publisher(
            kind, topic, qos.deep(profile) if self.lockstep else profile or qos.reliable(5)
        )
        self._made.append(lambda: self.destroy_publisher(publisher))
        return publisher

    def publish(self, publisher: Publisher, message: Any) -> None:
        """Publish and name the topic in this frame's report."""
        given = HANDOVER.give(publisher.topic_name, message)
        if not given or publisher.get_subscription_count():
            publisher.publish(message)
        self._published.append(publisher.topic_name)

    def submit(self, job: Callable[[], None]) -> bool:
        """Run something between two frames in the worker thread; False if it has gone. In lock-step what came of a message
        belongs to that message's frame: it is run at once.
        """
        if self._at_frame and threading.current_thread() is self._worker:
            job()
            return True
        return self._mailbox.put_job(job)

    def watch_camera(self, topic: str = "camera/image_raw", *, pictures: bool = True) -> None:
        """Let pictures drive ``process``; the calibration is read from the ``camera_info`` beside them.

        Without `pictures` the calibrations alone do, and ``frame.image`` is empty.
        """
        info = topic.rsplit("/", 1)[0] + "/camera_info"
        if pictures:
            self.listen(CameraInfo, info, self._on_camera_info, qos.sensor(2), stage="camera")
            self.listen(Image, topic, self._on_image, qos.deep(None) if self.lockstep else qos.sensor(2))
        else:
            self.listen(CameraInfo, info, self._on_image, qos.deep(None) if self.lockstep else qos.reliable())
        if self.lockstep:
            self.hold(lambda _: True, LOST_S)

    def hold(self, complete: Callable[[int], bool], wait_s: float) -> None:
        """Of the waiting frames take one whose stamp is ``complete``, or that has waited so long; see ``nudge`` and `Mailbox`.

        In lock-step a frame is complete by what the stages before this one report, and this is not asked.
        """
        if self.lockstep:
            complete, wait_s = lambda stamp: not self._steps.missing(stamp), LOST_S
        self._hold = Hold(lambda arrival: complete(arrival.stamp), lambda arrival: arrival.received + wait_s)

    def nudge(self) -> None:
        """Something that ``hold`` waits for has come."""
        self._mailbox.nudge()

    # ---- lifecycle

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            self.on_start()
        except Exception as error:  # whatever a model file, a name or a device makes go wrong
            self.error = str(error) if isinstance(error, ValueError | OSError) else one_line(error)
            self.get_logger().error(f"cannot start: {self.error}")
            self.publish_diagnostics()
            return TransitionCallbackReturn.FAILURE
        self.error = ""
        self._state = "inactive"
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._mailbox = Mailbox(lockstep=self.lockstep > 0, hold=self._hold, dropped=self._replaced)
        started: Future = Future()
        self._worker = threading.Thread(target=self._work, args=(started,), name="worker")
        self._worker.start()
        while not started.done() and self._worker.is_alive():
            self._worker.join(0.01)
        problem = started.result() if started.done() else "the worker thread died"
        if problem:
            self.error = problem
            self.get_logger().error(f"cannot start: {problem}")
            self._worker.join()
            return TransitionCallbackReturn.FAILURE
        self._state = "active"
        self.publish_diagnostics()
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._stop_worker()
        self._state = "inactive"
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.on_stop()
        self._inputs, self.riders = [], []
        while self._made:
            self._made.pop()()
        self._state = "unconfigured"
        return TransitionCallbackReturn.SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.stop()
        return TransitionCallbackReturn.SUCCESS

    def stop(self) -> None:
        """Stop the worker and clean up, from whatever state."""
        self._stop_worker()
        if self._state != "unconfigured":
            self.on_stop()
        self._state = "finalized"

    def _stop_worker(self) -> None:
        self._mailbox.close()
        if self._worker is not None and self._worker is not threading.current_thread():
            self._worker.join()
        self._worker = None

    # ---- frames

    def _on_camera_info(self, message: CameraInfo) -> None:
        self._intrinsics = intrinsics_from(message)

    def _on_image(self, message: Image | CameraInfo) -> None:
        arrival = Arrival(message, nanoseconds(message.header.stamp), time.monotonic())
        if self._state != "active":
            return
        order = self._time_line.place(arrival.stamp)
        if order is Order.OLDER:
            self.warn_once("camera: a stamp that is not newer than the one before; the frame is left out")
            return
        if order is Order.JUMPED:
            self.get_logger().warning(
                "camera: the stamps went back and stay there (did a bag start over?); following them"
            )
            self.submit(self.on_time_jump)
        if self.lockstep:
            self._steps.frame(arrival.stamp)
        self._mailbox.put(arrival)

    def _work(self, started: Future) -> None:
        self.threads.append(threading.get_native_id())
        try:
            self.on_worker_start()
        except (ValueError, OSError, RuntimeError) as error:
            started.set_result(str(error))
            return
        started.set_result("")
        while (item := self._mailbox.get()) is not None:
            if isinstance(item, Arrival):
                self._guarded("a report", self._handle, item)
            else:
                self._guarded("a job", lambda job: job(), item)
        self.on_worker_stop()

    def _handle(self, arrival: Arrival) -> None:
        started, cpu = time.monotonic(), time.thread_time()
        self._pressure.look(started)
        self._published, self.items = [], 0
        outcome, reason = StageReport.PUBLISHED, ""
        if self.lockstep:
            self._hand_over(arrival.stamp)
        try:
            frame = arrival.frame(self._intrinsics)
            self.notes["calibration"] = GUESSED if frame.intrinsics.guessed else "camera_info"
            self.process(frame)
        except Skip as skip:
            outcome, reason = StageReport.SKIPPED, str(skip)
            self.statistics.skip(reason)
        except Exception as error:
            outcome, reason = StageReport.FAILED, one_line(error)
            self.statistics.skip(reason)
            self.complain("a frame", error)
        finished = time.monotonic()
        if outcome == StageReport.PUBLISHED:
            self.statistics.publish(arrival.received, finished)
        self._at_frame = False
        cpu_ms = (time.thread_time() - cpu) * 1e3
        self.report(arrival.message.header, arrival.received, started, finished, cpu_ms, outcome, reason)

    def _replaced(self, arrival: Arrival) -> None:
        self.statistics.skip(REPLACED)
        now = time.monotonic()
        skipped = (arrival.message.header, arrival.received, now, now, 0.0, StageReport.SKIPPED, REPLACED, ())
        self._guarded("a report", lambda what: self.report(*what), skipped)

    # ---- what it says of itself

    def _tick(self) -> None:
        """Diagnostics once a second, and at once when another link has been found: the camera waits for that."""
        before = dict(self.notes)
        if before.get(UNHEARD) != "" or self.lockstep or self._ticks % 4 == 0:
            self.notes.update(self.links())
        if self._ticks % 4 == 0 or self.notes != before:
            self.publish_diagnostics()
        self._ticks += 1
