"""What belongs to which frame of a bag, on bags that are known exactly."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rosbags.typesys import Stores, get_typestore

from ar_interfaces.srv import SetScale
from ar_tools import contract
from ar_tools.bags.decode import stamp_of
from ar_tools.bags.definitions import definition
from ar_tools.bags.model import BagError, Qos, Topic
from ar_tools.bags.writer import BagWriter
from ar_tools.replay.plan import STAGES, Plan, PlannedFrame, restamped
from ar_tools.replay.requests import Request

START, PERIOD, MS = 1_700_000_000_000_000_000, 33_000_000, 1_000_000
IMAGE, INFO, EVENTS = "/camera/image_raw", "/camera/camera_info", "/events"
KINDS = {"/" + name.removeprefix("/"): kind for name, kind in contract.TOPICS.items()}


def header(stamp: int) -> dict[str, Any]:
    return {"stamp": {"sec": stamp // 10**9, "nanosec": stamp % 10**9}, "frame_id": "camera"}


class Script:
    """A bag as it is told: messages in the order of their publishing, each 1 ms after the one before."""

    def __init__(self, folder: Path, messages: Any, kinds: dict[str, str] | None = None) -> None:
        self.path, self._messages, self._kinds = folder, messages, {**KINDS, **(kinds or {})}
        self._said: list[tuple[str, int, bytes]] = []
        self._now = START

    def at(self, frame: float) -> Script:
        """From now on it is (at least) the time of this frame."""
        self._now = max(self._now, stamp(frame))
        return self

    def say(self, topic: str, frame: float, **fields: Any) -> Script:
        """A message with a frame's stamp."""
        self._now += MS
        data = self._messages.make(self._kinds[topic], header=header(stamp(frame)), **fields)
        self._said.append((topic, self._now, data))
        return self

    def picture(self, frame: float, topic: str = IMAGE, size: int = 3) -> Script:
        """A picture, when it is taken."""
        return self.at(frame).say(
            topic, frame, height=1, width=1, step=3, encoding="bgr8", data=np.zeros(size, np.uint8)
        )

    def report(self, stage: str, frame: int, *published: str, outcome: int = 0) -> Script:
        """A stage's report that names what it published."""
        return self.say(f"/{stage}/report", frame, stage=stage, published=list(published), outcome=outcome)

    def written(self) -> Path:
        """The bag."""
        with BagWriter(self.path) as writer:
            for topic in sorted({topic for topic, _, _ in self._said}):
                latched = topic.removeprefix("/") in contract.LATCHED
                qos = Qos(durability="transient_local" if latched else "volatile")
                known = definition(self._kinds[topic])
                writer.add_topic(Topic(topic, known.type, (qos,), known.type_hash), known)
            for topic, time, data in self._said:
                writer.write(topic, time + MS // 2, time, data)
        return self.path

    def forget(self) -> None:
        """Give the memory back."""
        self._said.clear()


@pytest.fixture
def script(tmp_path: Path, messages: Any) -> Script:
    return Script(tmp_path / "bag", messages)


def stamp(frame: float) -> int:
    return START + int(frame * PERIOD)


def frames_of(path: Path, live: tuple[str, ...] = ("render",), **words: Any) -> list[PlannedFrame]:
    with Plan(path, live, **words) as plan:
        return list(plan.frames())


def said(frame: PlannedFrame, stage: str) -> list[tuple[str, float]]:
    """Topics and the frames in their stamps."""
    return [(topic, (stamp_of(data) - START) / PERIOD) for topic, data in frame.said[stage]]


MASK, OBJECT = "/segment/mask", "/segment/object"


def test_in_lockstep_the_manifests_tell_what_belongs_to_a_frame(script: Script) -> None:
    """At frame 3 something is awakened that was seen in frame 0; frame 4 is left out, and reported early."""
    for frame in range(6):
        script.picture(frame)
    for frame in (1, 2):
        script.say(MASK, frame).report("segment", frame, MASK)
    script.report("segment", 4, outcome=1)
    script.say(OBJECT, 0).say(MASK, 0).say(MASK, 3).report("segment", 3, OBJECT, MASK, MASK)
    script.say(MASK, 5).report("segment", 5, MASK)
    frames = frames_of(script.written())
    assert [frame.stamp for frame in frames] == [stamp(i) for i in range(6)]
    assert [said(frame, "segment") for frame in frames] == [
        [],
        [(MASK, 1)],
        [(MASK, 2)],
        [(OBJECT, 0), (MASK, 0), (MASK, 3)],
        [],
        [(MASK, 5)],
    ]


def test_what_no_report_names_belongs_to_the_next_one(script: Script) -> None:
    """Live, an object is awakened between two frames; and the recording lacks the mask that frame 2 names."""
    for frame in range(5):
        script.picture(frame)
    script.say(MASK, 1).report("segment", 1, MASK).report("segment", 2, MASK)
    script.say(MASK, 3).report("segment", 3, MASK)
    script.say(OBJECT, 1).say(MASK, 1)
    script.say(MASK, 4).report("segment", 4, MASK)
    frames = frames_of(script.written())
    assert [said(frame, "segment") for frame in frames] == [
        [],
        [(MASK, 1)],
        [],
        [(MASK, 3)],
        [(MASK, 1), (MASK, 4), (OBJECT, 1)],
    ]


def test_without_reports_the_stamps_count(script: Script) -> None:
    for frame in range(4):
        script.picture(frame)
    for frame in (0, 2, 1, 3):  # in this order: the third must not overtake the second
        script.say(MASK, frame)
    script.say("/slam/pose", 1.5)
    with Plan(script.written(), ("render",)) as plan:
        frames = list(plan.frames())
        assert any("no segment/report" in line for line in plan.lacking)
    assert [said(frame, "segment") for frame in frames] == [[(MASK, 0)], [], [(MASK, 2), (MASK, 1)], [(MASK, 3)]]
    assert [said(frame, "slam") for frame in frames] == [[], [], [("/slam/pose", 1.5)], []]


@pytest.mark.parametrize("reports", [True, False])
def test_of_what_came_before_the_first_frame_only_the_latched_is_kept(script: Script, reports: bool) -> None:
    script.at(-3).say(MASK, -3).say(OBJECT, -3)
    if reports:
        script.report("segment", -3, MASK, OBJECT)
    script.picture(0).say(MASK, 0)
    if reports:
        script.report("segment", 0, MASK)
    (frame,) = frames_of(script.written())
    assert said(frame, "segment") == [(OBJECT, -3), (MASK, 0)]


def test_what_slam_was_asked_is_asked_again(script: Script) -> None:
    script.picture(0).picture(1)
    script.say(EVENTS, 0, kind="reset", source="slam")
    script.say(EVENTS, 0, kind="reset", source="page")  # nothing that SLAM did
    for name in ("factor 1.25", "camera_height 0.4", "factor of some kind"):
        script.say(EVENTS, 1, kind="set_scale", source="slam", name=name)
    script.say(EVENTS, 1, kind="set_mode", source="slam", name="localisation")
    path = script.written()
    first, second = frames_of(path, live=("slam",))
    assert first.requests == [Request("slam/reset", {}, stamp(0))]
    assert second.requests == [
        Request("slam/set_scale", {"kind": SetScale.Request.FACTOR, "value": 1.25}, stamp(1)),
        Request("slam/set_scale", {"kind": SetScale.Request.CAMERA_HEIGHT, "value": 0.4}, stamp(1)),
        Request("slam/set_mode", {"mode": "localisation"}, stamp(1)),
    ]
    assert not any(frame.requests for frame in frames_of(path, live=("render",)))
    with Plan(path, ("slam", "render")) as plan:
        assert plan.services() == {"slam/reset", "slam/set_scale", "slam/set_mode"}


def test_events_become_requests_to_live_stages(script: Script) -> None:
    for frame in (0, 1, 3):
        script.picture(frame)
    script.say(EVENTS, 1, kind="awaken", pixel=np.array([7, 8], np.float32))
    script.say(EVENTS, 0, kind="awaken", pixel=np.array([1, 2, 3, 4], np.float32))
    script.say(EVENTS, 2, kind="awaken")
    script.say(EVENTS, 1, kind="place", id="mug", pixel=np.array([5, 6], np.float32))
    script.say(EVENTS, 1, kind="place", id="mug", message="came alive where its object stood")
    script.say(EVENTS, 2, kind="act", id="mug", name="dance", message="clip")
    script.say(EVENTS, 2, kind="remove", id="mug")
    turned = {"x": 0.0, "y": 0.0, "z": 0.6, "w": 0.8}
    pose = {"position": {"x": 0.1, "y": 0.2, "z": 0.3}, "orientation": turned}
    script.say(EVENTS, 2, kind="walk_to", id="mug", pose=pose).say(EVENTS, 2, kind="arrived", id="mug", success=True)
    script.say(EVENTS, 2, kind="ended", source="camera")
    path = script.written()
    frames = frames_of(path, live=("segment", "render"))
    assert frames[0].requests == [
        Request("segment/awaken", {"prompt": 2, "x": 1, "y": 2, "width": 3, "height": 4}, stamp(0))
    ]
    assert frames[1].requests == [
        Request("segment/awaken", {"prompt": 1, "x": 7, "y": 8}, stamp(1)),
        Request("render/place", {"id": "mug", "x": 5, "y": 6}, stamp(1)),
    ]
    awaken, act, remove, walk = frames[2].requests
    assert awaken == Request("segment/awaken", {"prompt": 0}, stamp(2))
    assert (act.service, act.fields["action"], act.fields["name"]) == ("render/act", "clip", "dance")
    assert np.isnan([act.fields["x"], act.fields["y"]]).all()
    assert remove == Request("render/remove", {"id": "mug"}, stamp(2))
    assert walk == Request("render/walk_to", {"id": "mug", "pose": (0.1, 0.2, 0.3, 0.0, 0.0, 0.6, 0.8)}, stamp(2))
    assert [r.service for frame in frames_of(path) for r in frame.requests] == [
        "render/place", "render/act", "render/remove", "render/walk_to",
    ]  # fmt: skip


def test_in_lockstep_the_renderer_is_asked_early_enough(script: Script) -> None:
    """It acted between frames 5 and 6: asked at frame 4, it does so again with two frames on their way."""
    for frame in range(8):
        script.picture(frame)
    script.say(EVENTS, 5, kind="act", message="poke").say(EVENTS, 5, kind="awaken").say(EVENTS, 0, kind="remove")
    path = script.written()
    for lockstep, acts, removes in ((0, 5, 0), (1, 5, 0), (2, 4, 0), (3, 3, 0)):
        frames = frames_of(path, live=("segment", "render"), lockstep=lockstep)
        assert [frame.stamp for frame in frames] == [stamp(i) for i in range(8)]
        asked = {request.service: i for i, frame in enumerate(frames) for request in frame.requests}
        assert asked == {"render/act": acts, "segment/awaken": 5, "render/remove": removes}


def test_the_calibration_gets_the_stamp_of_its_picture(script: Script) -> None:
    """One that is said once counts for all; a new one from its stamp on."""
    script.picture(0).at(0).say(INFO, 0.5, height=480)
    script.picture(1)
    script.say(INFO, 2, height=720).picture(2)
    frames = frames_of(script.written())
    infos = [frame.info for frame in frames]
    assert [stamp_of(info) for info in infos if info] == [stamp(0), stamp(1), stamp(2)]
    heights = [int.from_bytes(info[24:28], "little") for info in infos if info]  # after stamp and "camera\0", padded
    assert heights == [480, 480, 720]


def test_what_the_bag_lacks_is_said(script: Script) -> None:
    with Plan(script.picture(0).written(), ("segment", "render")) as plan:
        (frame,) = plan.frames()
        assert frame.info is None
        assert [line.split(":")[0].split(",")[0] for line in plan.lacking] == [
            "no camera/camera_info", "nothing of detect", "nothing of slam", "nothing of character", "no events",
        ]  # fmt: skip


def test_pictures_whose_stamps_do_not_grow_are_left_out(script: Script) -> None:
    script.picture(0).picture(1).say(IMAGE, 1).say(IMAGE, 0).picture(2)
    with Plan(script.written(), STAGES) as plan:
        assert [frame.stamp for frame in plan.frames()] == [stamp(0), stamp(1), stamp(2)]
        assert plan.left_out == 2


def test_a_bag_of_others_is_remapped(tmp_path: Path, messages: Any) -> None:
    other = {"/usb_cam/image": "sensor_msgs/msg/Image", "/boxes": "vision_msgs/msg/Detection2DArray"}
    path = Script(tmp_path / "bag", messages, other).picture(0, "/usb_cam/image").say("/boxes", 0).written()
    with pytest.raises(BagError, match=r"no pictures on camera/image_raw .*--remap /usb_cam/image:=camera/image_raw"):
        Plan(path, STAGES)
    with pytest.raises(BagError, match="--remap /nothing: the bag has no such topic"):
        Plan(path, STAGES, {"nothing": "camera/image_raw"})
    with pytest.raises(BagError, match="/camera/image_raw is vision_msgs/msg/Detection2DArray"):
        Plan(path, STAGES, {"/boxes": "camera/image_raw"})
    (frame,) = frames_of(path, remaps={"usb_cam/image": "/camera/image_raw", "/boxes": "detections"})
    assert said(frame, "detect") == [("/detections", 0)]


def test_other_versions_of_messages_are_refused(tmp_path: Path, messages: Any) -> None:
    known = definition(KINDS[IMAGE])
    with BagWriter(tmp_path / "bag") as writer:
        writer.add_topic(Topic(IMAGE, known.type, (), "RIHS01_" + 64 * "0"), known)
        writer.write(IMAGE, START, START, messages.make(known.type, header=header(START)))
    with pytest.raises(BagError, match="another version of sensor_msgs/msg/Image"):
        Plan(tmp_path / "bag", STAGES)


def test_a_torn_bag_is_one_line(script: Script) -> None:
    path = script.picture(0).written()
    (file,) = path.glob("*.mcap")
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(BagError, match="bag repair"):
        Plan(path, STAGES)


def test_the_bag_is_never_in_memory_as_a_whole(script: Script) -> None:
    """20 MB of pictures and as many masks, over 30 s: a few seconds of masks are."""
    for frame in range(0, 900, 3):
        script.picture(frame, size=65_000)
        script.say(MASK, frame, data=np.zeros(65_000, np.uint8)).report("segment", frame, MASK)
    path = script.written()
    assert sum(file.stat().st_size for file in path.iterdir()) > 38_000_000
    script.forget()
    tracemalloc.start()
    with Plan(path, ("render",)) as plan:
        masks = sum(len(frame.said["segment"]) for frame in plan.frames())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert masks == 300
    assert peak < 12_000_000


def test_another_stamp_in_either_byte_order() -> None:
    store = get_typestore(Stores.ROS2_JAZZY)
    Header, Time = (store.types[name] for name in ("std_msgs/msg/Header", "builtin_interfaces/msg/Time"))
    for little in (True, False):
        data = bytes(store.serialize_cdr(Header(Time(1, 2), "x"), "std_msgs/msg/Header", little_endian=little))
        moved = store.deserialize_cdr(restamped(data, 7_000_000_009), "std_msgs/msg/Header")
        assert (moved.stamp.sec, moved.stamp.nanosec, moved.frame_id) == (7, 9, "x")
