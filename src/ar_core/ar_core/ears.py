"""What a stage hears: topics, services, and in lock-step who it waits for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from rclpy.action.server import ActionServer, CancelResponse, ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.qos import QoSProfile
from rclpy.task import Future

from ar_core import qos
from ar_core.conversions import nanoseconds
from ar_core.handover import HANDOVER
from ar_core.lockstep import Steps
from ar_core.pressure import Pressure
from ar_core.readiness import HEARS, READ, UNHEARD
from ar_core.task import Task
from ar_core.voice import Voice, one_line
from ar_core.waiting import take_all
from ar_interfaces.msg import StageReport

LOST_S = 20.0  # in lock-step: what has not come by then was lost


class Ears(Voice):
    """Subscriptions and services whose callbacks cannot bring the node down; `Stage` adds the work."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.lockstep = int(self.declare_parameter("lockstep", 0).value or 0)
        self._steps = Steps()
        self._pressure = Pressure()
        self._answering = ReentrantCallbackGroup()  # frames and poses go on arriving while an answer is awaited
        self._inputs: list[tuple[Any, Callable[[Any], None]]] = []
        self.riders: list[Any] = []
        """Subscriptions that do not wake the node."""
        self._made: list[Callable[[], Any]] = []

    @property
    def pressed(self) -> bool:
        """The machine is short of time, see ``Pressure``."""
        return self._pressure.pressed and not self.lockstep

    def submit(self, job: Callable[[], None]) -> bool:
        """Run something in the worker thread; False if it has gone."""
        raise NotImplementedError

    def nudge(self) -> None:
        """Something that a frame may wait for has come."""
        raise NotImplementedError

    def listen(
        self,
        kind: type,
        topic: str,
        callback: Callable[[Any], None],
        profile: QoSProfile | None = None,
        stage: str = "",
        *,
        rides: bool = False,
    ) -> Any:
        """Subscribe to a side input; a bad message is warned of once per kind and counted.

        stage: who publishes it. In lock-step the callback is then called in the worker thread, with the frame in whose
        report that stage names the message. rides: its messages do not wake the node, which costs more than they do; they
        are handled with the next that does, a quarter of a second later at the most. In lock-step all wake it.
        """

        def guarded(message: Any) -> None:
            self._guarded(topic, callback, message)

        take = guarded
        if self.lockstep and stage:
            name = self.resolve_topic_name(topic)
            self._expect(stage, name)
            profile = qos.deep(profile)

            def take(message: Any) -> None:
                self._steps.message(name, lambda: guarded(message))
                self.nudge()

        if HANDOVER.serves(topic):
            self._made.append(HANDOVER.hear(self.resolve_topic_name(topic), take))
            return None
        subscription = self.create_subscription(kind, topic, take, profile or qos.reliable())
        self._inputs.append((subscription, take))
        self.riders += [subscription] if rides and not self.lockstep else []
        self._made.append(partial(self.destroy_subscription, subscription))
        return subscription

    def unlisten(self, subscription: Any) -> None:
        """End what ``listen`` began."""
        self._inputs = [one for one in self._inputs if one[0] is not subscription]
        self.riders = [one for one in self.riders if one is not subscription]
        self._made = [end for end in self._made if getattr(end, "args", None) != (subscription,)]
        self.destroy_subscription(subscription)

    @property
    def inputs(self) -> list[Any]:
        """The subscriptions that ``drain`` takes from."""
        return [subscription for subscription, _ in self._inputs]

    def drain(self) -> None:
        """Take and handle whatever else has arrived; in the executor's thread."""
        take_all(self._inputs)

    def serve(self, kind: type, name: str, handler: Callable[[Any, Any], Any], asked_by: str = "") -> Any:
        """Offer a service; the handler runs in the worker thread, its ValueError becomes ``success=False`` with the text.

        asked_by: a stage that asks. In lock-step its request takes effect `lockstep` frames after it was made.
        """

        async def answer(request: Any, response: Any) -> Any:
            done: Future = Future()

            def job() -> None:
                done.set_result(self._handled(name, handler, request, response))
                if self.executor is not None:
                    self.executor.wake()  # it does not know that somebody awaits this

            if self._state != "active" or not put(job):
                return _refused(response, f"{self.get_name()} is not active")
            return await done

        put: Callable[[Callable[[], None]], bool] = self.submit
        if self.lockstep and asked_by:
            put = self._in_step(asked_by, self.resolve_service_name(name))
        service = self.create_service(kind, name, answer, callback_group=self._answering)
        self._made.append(lambda: self.destroy_service(service))
        return service

    def perform(self, kind: type, name: str, begin: Callable[[Task], None], asked_by: str = "") -> None:
        """Offer an action; ``begin`` takes up a goal in the worker thread, its ValueError ends it with the text as message.

        The result needs a field ``message``. asked_by: as for ``serve``.
        """

        async def execute(handle: ServerGoalHandle) -> Any:
            task = Task(kind, handle, lambda: self.executor.wake() if self.executor is not None else None)

            def job() -> None:
                try:
                    begin(task)
                except Exception as error:
                    self.complain(name, error)
                    task.end("abort", message=one_line(error))

            if self._state != "active" or not put(job):
                task.end("abort", message=f"{self.get_name()} is not active")
            return await task.result()

        put: Callable[[Callable[[], None]], bool] = self.submit
        if self.lockstep and asked_by:
            put = self._in_step(asked_by, self.resolve_service_name(name))
        server = ActionServer(
            self,
            kind,
            name,
            execute,
            callback_group=self._answering,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
        )
        self._made.append(server.destroy)

    def _in_step(self, asked_by: str, resolved: str) -> Callable[[Callable[[], None]], bool]:
        """What is asked takes effect `lockstep` frames after that stage asked it."""
        self._expect(asked_by, resolved, self.lockstep)

        def put(job: Callable[[], None]) -> bool:
            self._steps.message(resolved, job)
            self.nudge()
            return True

        return put

    def links(self) -> dict[str, str]:
        """For the diagnostics: which inputs nobody publishes; in lock-step also all inputs, and how many read each output."""
        topics = sorted({subscription.topic_name for subscription, _ in self._inputs})
        unheard = {UNHEARD: ", ".join(topic for topic in topics if not self.count_publishers(topic))}
        if not self.lockstep:
            return unheard
        read = {publisher.topic_name: str(publisher.get_subscription_count()) for publisher in self.publishers}
        return {**unheard, HEARS: ", ".join(topics), READ: ", ".join(f"{topic} {n}" for topic, n in read.items())}

    def _hand_over(self, stamp: int) -> None:
        """In lock-step: hand over what belongs to this frame."""
        missing = self._steps.missing(stamp)
        if missing:
            self.warn_once(f"lock-step: {missing} did not come within {LOST_S:g} s; going on without")
        self._at_frame = True
        for job in self._steps.take(stamp):
            job()

    def _expect(self, stage: str, name: str, lag: int = 0) -> None:
        if self._steps.expect(stage, name, lag):
            self.listen(StageReport, f"{stage}/report", lambda report: self._on_report(stage, report), qos.deep(None))

    def _on_report(self, stage: str, report: StageReport) -> None:
        self._steps.report(stage, nanoseconds(report.header.stamp), list(report.published))
        self.nudge()

    def _guarded(self, where: str, callback: Callable[[Any], None], message: Any) -> None:
        try:
            callback(message)
        except Exception as error:
            self.complain(where, error)

    def _handled(self, name: str, handler: Callable[[Any, Any], Any], request: Any, response: Any) -> Any:
        try:
            return handler(request, response)
        except Exception as error:
            self.complain(name, error)
            return _refused(response, one_line(error))


def _refused(response: Any, why: str) -> Any:
    response.success = False
    setattr(response, "message" if hasattr(response, "message") else "status_message", why)  # sensor_msgs/SetCameraInfo
    return response
