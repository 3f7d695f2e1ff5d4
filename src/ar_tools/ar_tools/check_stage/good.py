"""The rows on good input: it starts, finds its topics, and says of every frame what the contract asks."""

from __future__ import annotations

import time

import numpy as np
from builtin_interfaces.msg import Time
from rclpy.qos import DurabilityPolicy, ReliabilityPolicy

from ar_core.conversions import image_from, nanoseconds, stamp_from
from ar_interfaces.srv import Awaken
from ar_tools import contract
from ar_tools.check_stage.judge import Report, Sent, outputs, reports_row, speed
from ar_tools.check_stage.rig import Rig
from ar_tools.check_stage.rows import FAIL, NOTE, PASS, Row
from ar_tools.check_stage.scene import FRAME_ID, Scene
from ar_tools.check_stage.subject import Subject

FRAMES = 30
AT = 3  # the frame at which something is awakened, or comes
CHANGED, LEAST_PIXELS = 16, 200  # of 255; a character is some thousands
START_S, ANSWER_S, MADE_S, FIND_S = 40.0, 5.0, 30.0, 2.0


class Check:
    """One check of one node: the rig around it, its process, the frames that are played."""

    def __init__(self, stage: str, rig: Rig, subject: Subject) -> None:
        self.stage, self.rig, self.subject, self.expected = stage, rig, subject, rig.expected
        self.scene = Scene(FRAMES, time.time_ns())
        self.next = 0
        self.when: dict[int, float] = {}

    # ---- frames

    def send(self, i: int) -> int:
        """Play frame i: what the other stages say of it, then the picture; its stamp."""
        stamp = self.scene.stamp(i)
        camera = [topic for topic in ("camera/camera_info", "camera/image_raw") if topic in self.rig.inputs]
        side = [topic for topic in self.rig.inputs if topic not in camera and topic not in ONCE]
        messages = [(topic, self.scene.message(topic, i)) for topic in (*side, *camera)]
        self.when[stamp] = time.monotonic()
        for topic, message in messages:
            self.rig.inputs[topic].publish(message)
        return stamp

    def frame(self, patience_s: float = ANSWER_S) -> bool:
        """Play the next frame and wait for the answer; for a stage that no pictures drive, an object."""
        i, self.next = self.next, self.next + 1
        stamp = self.send(i)
        if not self.expected.sees:
            return self._object(i)
        return self.answered(stamp, patience_s)

    def answered(self, stamp: int, patience_s: float) -> bool:
        """Wait until the stage has said of a frame what there is to say."""
        rig, each = self.rig, [topic for topic, output in self.expected.says.items() if output.each]
        sent = self.when[stamp]

        def come(topic: str) -> bool:
            return any(got.when >= sent for got in reversed(rig.got[topic][-3:]))

        if not rig.reports_itself:
            return (
                rig.until(lambda: not self.subject.alive or come(self.expected.main), patience_s) and self.subject.alive
            )
        rig.until(lambda: not self.subject.alive or rig.reported(stamp), patience_s)
        report = rig.reported(stamp)
        if report is None:
            return False
        named = {name.removeprefix("/") for name in report.published}
        rig.until(lambda: all(come(topic) for topic in each if topic in named), ANSWER_S)
        return True

    def _object(self, i: int) -> bool:
        """A new object, and the frames around it; whether a character came of it."""
        stamp, before = self.scene.stamp(i), len(self.rig.got[self.expected.main])
        self.rig.inputs["segment/object"].publish(self.scene.object(i, f"check-{i}"))
        self.next += 1
        self.send(i + 1)
        done = lambda: len(self.rig.got[self.expected.main]) > before or not self.subject.alive  # noqa: E731
        self.rig.until(done, MADE_S)
        if self.rig.reports_itself:
            self.rig.until(lambda: self.rig.reported(stamp) or not self.subject.alive, ANSWER_S)
        return len(self.rig.got[self.expected.main]) > before

    # ---- rows

    def starts(self) -> list[Row]:
        """It comes up, with publishers of what it must say and ears for what drives it."""
        rig, began = self.rig, time.monotonic()
        needed = [topic for topic, output in self.expected.says.items() if not output.optional]
        driver = "camera/image_raw" if self.expected.sees else "segment/object"
        rig.until(lambda: not self.subject.alive or self._up(needed, driver), START_S)
        if not self.subject.alive:
            return [Row(FAIL, "starts", self.subject.last_words())]
        if not self._up(needed, driver):
            lacking = [topic for topic in needed if not rig.count_publishers(topic)]
            what = f"a publisher of {', '.join(lacking)}" if lacking else f"a subscription of {driver}"
            return [Row(FAIL, "starts", f"after {START_S:g} s still without {what} (as node '{self.stage}'?)")]
        rig.until(lambda: all(p.get_subscription_count() for p in rig.inputs.values()), FIND_S)
        doubled = [topic for topic in (*needed, *rig.inputs) if rig.count_publishers(topic) > 1]
        if doubled:
            told = f"{', '.join(doubled)}: somebody else publishes there too; set another ROS_DOMAIN_ID"
            return [Row(FAIL, "starts", told)]
        row = Row(PASS, "starts", f"after {time.monotonic() - began:.1f} s")
        if rig.reports_itself and not rig.until(lambda: rig.state == "active", ANSWER_S):
            told = "it reports, but does not say on /diagnostics that it is active: the camera would wait for it"
            row = Row(FAIL, "starts", told)
        return [row]

    def _up(self, needed: list[str], driver: str) -> bool:
        there = all(self.rig.count_publishers(topic) for topic in needed)
        return there and self.rig.inputs[driver].get_subscription_count() > 0

    def topics(self) -> list[Row]:
        """Types, quality of service, services, and what it does not listen to."""
        return [self._types(), self._offers(), self._requests(), *self._services()]

    def _types(self) -> Row:
        wrong = []
        for topic in (*self.expected.says, *self.expected.hears):
            own = self.rig.get_name()
            infos = [*self.rig.get_publishers_info_by_topic(topic), *self.rig.get_subscriptions_info_by_topic(topic)]
            kinds = {info.topic_type for info in infos if info.node_name != own} - {contract.TOPICS[topic]}
            wrong += [f"{topic} is {kind} instead of {contract.TOPICS[topic]}" for kind in sorted(kinds)]
        return Row(FAIL, "types", "; ".join(wrong)) if wrong else Row(PASS, "types", "as the contract names them")

    def _offers(self) -> Row:
        wrong = []
        for topic in self.expected.says:
            for info in self.rig.get_publishers_info_by_topic(topic):
                if info.qos_profile.reliability != ReliabilityPolicy.RELIABLE:
                    wrong.append(f"{topic} is best effort: who asks for reliable gets nothing")
                if topic in contract.LATCHED and info.qos_profile.durability != DurabilityPolicy.TRANSIENT_LOCAL:
                    wrong.append(f"{topic} is volatile: who comes later gets nothing")
        return (
            Row(FAIL, "QoS offered", "; ".join(wrong)) if wrong else Row(PASS, "QoS offered", "reaches every consumer")
        )

    def _requests(self) -> Row:
        notes = []
        for topic in self.expected.hears:
            infos = [i for i in self.rig.get_subscriptions_info_by_topic(topic) if i.node_name != self.rig.get_name()]
            if not infos:
                notes.append(f"does not listen to {topic}")
            elif topic == "camera/image_raw" and infos[0].qos_profile.reliability == ReliabilityPolicy.RELIABLE:
                notes.append(f"{topic} is asked for reliably: cameras that publish best effort are not heard")
            elif topic in contract.LATCHED and infos[0].qos_profile.durability != DurabilityPolicy.TRANSIENT_LOCAL:
                notes.append(f"{topic} is asked for as volatile: after a restart it will not get what was said before")
        return Row(NOTE, "QoS asked for", "; ".join(notes)) if notes else Row(PASS, "QoS asked for", "hears everything")

    def _services(self) -> list[Row]:
        there = {name.removeprefix("/"): kinds for name, kinds in self.rig.get_service_names_and_types()}
        rows = []
        for name, kind in {**self.expected.serves, **self.expected.may_serve}.items():
            if there.get(name) == [kind]:
                rows.append(Row(PASS, name, f"a service of type {kind}"))
            else:
                found = f"is {there[name][0]} instead of {kind}" if name in there else f"no such service ({kind})"
                rows.append(Row(FAIL if name in self.expected.serves else NOTE, name, found))
        if f"{self.stage}/get_state" not in there:
            rows.append(Row(NOTE, "lifecycle", "no lifecycle node: it cannot be configured and activated from outside"))
        return rows

    def frames(self) -> list[Row]:
        """Play the clip; the rows on what came back."""
        rig, cpu, due, rows = self.rig, self.subject.cpu_s, [], []
        missed = 0
        for i in range(FRAMES if self.expected.sees else 3):
            early = self.stage == "segment" and i < AT
            stamp = self.scene.stamp(self.next)
            if self.expected.sees and i == AT:
                for topic in [topic for topic in rig.inputs if topic in ONCE]:
                    rig.inputs[topic].publish(self.scene.message(topic, self.next))
            answered = self.frame(1.0 if early else ANSWER_S)
            if not early or rig.reports_itself:
                due.append(stamp)
            if not self.subject.alive:
                return [Row(FAIL, "frames", f"at frame {i}: {self.subject.last_words()}")]
            missed = 0 if answered or early else missed + 1
            if missed == 3:
                rows.append(Row(FAIL, "frames", f"no answer to three pictures in a row within {ANSWER_S:g} s"))
                break
            if self.stage == "segment" and i == AT - 1:
                rows.append(self._awaken())
        sent = Sent(dict(self.when), due, FRAME_ID, self.scene.size)
        reports = [plain(report) for report in rig.reports]
        rows += outputs(self.expected, sent, rig.got, reports)
        topics = [topic for topic in contract.TOPICS if rig.got.get(topic)]
        rows.append(reports_row(self.stage, sent, reports, topics, rig.reports_itself))
        rows.append(speed(sent, rig.got[self.expected.main], self.subject.cpu_s - cpu, each=self.expected.sees))
        return rows + self._shows() + self._latched()

    def _awaken(self) -> Row:
        i = self.next - 1
        x, y = self.scene.pixel(i)
        stamp: Time = stamp_from(self.scene.stamp(i))
        request = Awaken.Request(prompt=Awaken.Request.PIXEL, x=x, y=y, stamp=stamp)
        answer = self.rig.call("segment/awaken", Awaken, request, MADE_S)
        if answer is None:
            return Row(FAIL, "awakens", f"segment/awaken gave no answer within {MADE_S:g} s")
        if not answer.success or not answer.id:
            return Row(
                FAIL, "awakens", f"a tap on the {self.scene.name} was refused: {answer.message or 'without an id'}"
            )
        return Row(PASS, "awakens", f"a tap on the {self.scene.name} makes '{answer.id}'")

    def _shows(self) -> list[Row]:
        """Whether the renderer's last picture is another than the camera's."""
        if self.stage != "render" or self.rig.picture is None:
            return []
        what, stamp = "shows the character", nanoseconds(self.rig.picture.header.stamp)
        i = next((i for i in range(self.next) if self.scene.stamp(i) == stamp), None)
        try:
            shown = image_from(self.rig.picture).astype(int)
        except ValueError as error:
            return [Row(FAIL, what, str(error))]
        if i is None or shown.shape != self.scene.pictures[0].shape:
            return [Row(FAIL, what, "not a picture of a frame that was sent")]
        changed = np.abs(shown - self.scene.pictures[i % FRAMES]).max(axis=2) > CHANGED
        pixels = int(np.count_nonzero(changed))
        if pixels < LEAST_PIXELS:
            return [Row(FAIL, what, f"its picture is the camera's ({pixels} pixels are others), though one is awake")]
        return [Row(PASS, what, f"{pixels} pixels are others than the camera's")]

    def _latched(self) -> list[Row]:
        topics = [topic for topic in self.expected.says if topic in contract.LATCHED and self.rig.got[topic]]
        if not topics:
            return []
        missing = [topic for topic in topics if not self.rig.arrives_late(topic, ANSWER_S)]
        if missing:
            return [Row(FAIL, "late joiners", f"get nothing of {', '.join(missing)}: publish transient local")]
        return [Row(PASS, "late joiners", f"get {', '.join(topics)}")]


ONCE = ("segment/object", "character/model")  # said when something happens, not with every frame


def plain(m: object) -> Report:
    """A StageReport as plain data."""
    stamp = nanoseconds(m.header.stamp)  # type: ignore[attr-defined]
    return Report(stamp, m.stage, m.outcome, m.reason, tuple(m.published), m.received, m.finished)  # type: ignore[attr-defined]
