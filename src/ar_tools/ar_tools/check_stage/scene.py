"""What a stage hears, made from the embedded clip and its exact truth: every input of every stage, frame by frame."""

from __future__ import annotations

import array
from functools import cached_property
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseWithCovarianceStamped, Vector3
from std_msgs.msg import Header
from vision_msgs.msg import Detection2D, Detection2DArray, ObjectHypothesisWithPose

from ar_camera import embedded
from ar_camera.sources import open_source
from ar_character.character import build_character
from ar_core.boxes import box_of
from ar_core.conversions import camera_info_message, image_message, point_message, pose_message, stamp_from
from ar_interfaces.msg import Character, PlaneStamped, SegmentedObject, TrackingStatus
from ar_segment.cutout import cut_out

FRAME_ID = "checked_camera_frame"  # no node can know it by heart
MAP_ID = 1


class Scene:
    """The clip's first `frames` pictures; stamps (ns) are `start` and media time."""

    def __init__(self, frames: int, start: int) -> None:
        self.truth, self.start = embedded.load(), start
        pictures = open_source("embedded").pictures()
        self.pictures = [next(pictures).image for _ in range(frames)]
        self.name = self.truth.prominent

    def stamp(self, i: int) -> int:
        """Of frame i."""
        return self.start + round(float(self.truth.stamps[1]) * 1e9) * i

    def header(self, i: int, frame_id: str = FRAME_ID) -> Header:
        """Of a message of frame i."""
        return Header(stamp=stamp_from(self.stamp(i)), frame_id=frame_id)

    def pixel(self, i: int) -> tuple[float, float]:
        """A pixel on the object."""
        rows, columns = np.nonzero(self._mask(i) > 250)
        middle = len(rows) // 2
        return float(columns[middle]), float(rows[middle])

    def message(self, topic: str, i: int) -> Any:
        """What is said on a topic at frame i (of those that stages hear)."""
        k = i % len(self.pictures)
        make = {
            "camera/image_raw": lambda: image_message(self.pictures[k], self.header(i)),
            "camera/camera_info": lambda: camera_info_message(self.truth.intrinsics, *self.size, self.header(i)),
            "detections": lambda: self._detections(i, k),
            "segment/mask": lambda: image_message(self._mask(k), self.header(i), "mono8"),
            "segment/object": lambda: self.object(i, "check-1"),
            "slam/pose": lambda: self._pose(i, k),
            "slam/status": lambda: TrackingStatus(
                header=self.header(i), state=TrackingStatus.TRACKING, scale_source="truth", map_id=MAP_ID
            ),
            "slam/plane": lambda: self._plane(i),
            "character/model": lambda: self._character(i),
        }
        return make[topic]()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the pictures."""
        return self.pictures[0].shape[1], self.pictures[0].shape[0]

    def object(self, i: int, id: str) -> SegmentedObject:
        """The prominent object cut out of frame i."""
        k = i % len(self.pictures)
        cutout = cut_out(self.pictures[k], self._mask(k))
        message = SegmentedObject(header=self.header(i), id=id, kind="object", score=1.0)
        message.image_width, message.image_height = self.size
        message.roi.x_offset, message.roi.y_offset = cutout.x, cutout.y
        message.roi.height, message.roi.width = cutout.rgba.shape[:2]
        message.cutout = image_message(cutout.rgba, self.header(i), "rgba8")
        return message

    def _mask(self, k: int) -> np.ndarray:
        return self.truth.mask(k, self.name)

    def _detections(self, i: int, k: int) -> Detection2DArray:
        message = Detection2DArray(header=self.header(i))
        for name in self.truth.names:
            box = box_of(self.truth.mask(k, name))
            if box.area:
                one = Detection2D(header=self.header(i), id=name)
                one.bbox.center.position.x, one.bbox.center.position.y = box.centre
                one.bbox.size_x, one.bbox.size_y = box.width, box.height
                result = ObjectHypothesisWithPose()
                result.hypothesis.class_id, result.hypothesis.score = "object", 1.0
                one.results = [result]
                message.detections.append(one)
        return message

    def _pose(self, i: int, k: int) -> PoseWithCovarianceStamped:
        message = PoseWithCovarianceStamped(header=self.header(i, "map"))
        message.pose.pose = pose_message(self.truth.T_map_camera[k])
        return message

    def _plane(self, i: int) -> PlaneStamped:
        outline = [point_message((x, y, 0.0)) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
        return PlaneStamped(header=self.header(i, "map"), normal=Vector3(z=1.0), extent=outline, map_id=MAP_ID)

    def _character(self, i: int) -> Character:
        thing = self.truth.objects[self.name]
        glb, clips = self._built
        message = Character(header=self.header(i, "map"), id="check-1", kind="object", object_height=thing.height)
        message.glb, message.clips, message.height = array.array("B", glb), clips, thing.height * 1.2
        message.placed, message.map_id = True, MAP_ID
        T = np.eye(4)
        T[:3, 3] = thing.base
        message.pose = pose_message(T)
        message.footprint = [
            float(v) for v in self.truth.intrinsics.project(thing.base[None], self.truth.T_map_camera[0])[0]
        ]
        return message

    @cached_property
    def _built(self) -> tuple[bytes, list[str]]:
        made = build_character(cut_out(self.pictures[0], self._mask(0)).rgba, self.truth.objects[self.name].height)
        return made.glb, list(made.clips)
