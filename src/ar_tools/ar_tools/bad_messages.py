"""Messages that no node should believe, for every topic that a node of ours listens to: for ``check-stage`` and the tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from geometry_msgs.msg import PoseWithCovarianceStamped, Vector3
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header
from vision_msgs.msg import Detection2D, Detection2DArray

from ar_core.conversions import stamp_from
from ar_interfaces.msg import Character, Event, PlaneStamped, RecordStatus, SegmentedObject, TrackingStatus


class BadMessage(NamedTuple):
    """A message, its topic, and what is wrong with it in words."""

    topic: str
    what: str
    message: Any


def bad_images(stamp: int, frame_id: str = "camera_optical_frame") -> Iterator[tuple[str, Image]]:
    """Pictures as broken drivers send them, and what is wrong with them; all but the last have this stamp (ns)."""
    header = Header(stamp=stamp_from(stamp), frame_id=frame_id)
    yield "truncated", Image(header=header, height=480, width=640, step=1920, encoding="bgr8", data=bytes(1000))
    yield (
        "unknown encoding",
        Image(header=header, height=480, width=640, step=1920, encoding="purple8", data=bytes(480 * 1920)),
    )
    yield "size zero", Image(header=header, height=0, width=0, step=0, encoding="bgr8")
    yield (
        "100 megapixels without data",
        Image(header=header, height=10_000, width=10_000, step=30_000, encoding="bgr8"),
    )
    old = Header(stamp=stamp_from(1), frame_id=frame_id)
    yield "a stamp that goes back", Image(header=old, height=4, width=4, step=12, encoding="bgr8", data=bytes(48))


def bad_messages(stamp: int, frame_id: str = "camera_optical_frame") -> Iterator[BadMessage]:
    """For every topic that a node listens to; where it is not the stamp that is wrong it is this one (ns)."""
    nan, header = float("nan"), Header(stamp=stamp_from(stamp), frame_id=frame_id)
    for what, image in bad_images(stamp, frame_id):
        yield BadMessage("camera/image_raw", what, image)
        yield BadMessage("segment/mask", what, image)
    yield BadMessage("camera/camera_info", "NaN intrinsics", CameraInfo(width=640, height=480, k=np.full(9, nan)))
    pose = PoseWithCovarianceStamped(header=header)
    pose.pose.pose.position.x = nan
    yield BadMessage("slam/pose", "NaN position", pose)
    yield BadMessage("slam/status", "unknown state", TrackingStatus(state=200))
    nowhere = PlaneStamped(header=header, normal=Vector3(z=nan), map_id=999)
    yield BadMessage("slam/plane", "NaN normal", nowhere)
    yield BadMessage("slam/plane", "normal of length zero", PlaneStamped(header=header, map_id=999))
    box = Detection2D(id="broken")
    box.bbox.size_x = nan
    yield BadMessage("detections", "NaN box", Detection2DArray(header=header, detections=[box]))
    yield BadMessage("segment/object", "no cut-out", SegmentedObject(id="broken", header=header))
    yield BadMessage("segment/object", "no id", SegmentedObject(header=header))
    rubbish = Character(id="broken", glb=b"glTF rubbish", header=header)
    yield BadMessage("character/model", "a .glb that is none", rubbish)
    yield BadMessage("events", "unknown kind", Event(header=header, source="nobody", kind="rubbish", pixel=[nan]))
    yield BadMessage("record/status", "NaN seconds", RecordStatus(header=header, recording=True, seconds=nan))
    values = [KeyValue(key="state", value="\n"), KeyValue(key="rate_hz", value="many")]
    status = DiagnosticStatus(name="rubbish", values=values)
    yield BadMessage("/diagnostics", "rubbish", DiagnosticArray(status=[status]))
