"""Segmentation as a node: `segment/awaken` cuts an object out of a frame, then its mask goes out for every frame.

Topics: `camera/image_raw`, `detections` in; `segment/mask` (mono8, soft, for every picture; empty while there is no object,
or it is lost), `segment/object` (latched) out.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from sensor_msgs.msg import Image
from vision_msgs.msg import Detection2DArray

from ar_core import qos
from ar_core.boxes import Box
from ar_core.conversions import image_message, nanoseconds
from ar_core.model_card import WEIGHTS, find_card
from ar_core.parameters import parameter
from ar_core.stage import Frame, Stage, run
from ar_core.visibility import unseeable
from ar_interfaces.msg import SegmentedObject
from ar_interfaces.srv import Awaken
from ar_segment.cutout import Cutout, cut_out
from ar_segment.faces import FaceSegmenter
from ar_segment.meant import FACE, Candidate, Meant, Prompts
from ar_segment.memory import Memory
from ar_segment.segmenter import Segmentation, Segmenter
from ar_segment.video import Follower
from ar_segment.worth import score

KEPT = 30
"""Frames and detections that are kept: a tap means the picture that was seen, a moment ago."""

OWN_FACES = "face"

CATCH_UP = 6
"""Passes at most from the frame that was meant to the newest one."""


@dataclass(frozen=True)
class Parameters:
    """Parameters of the segmentation node."""

    model: str = parameter("segment", "one of the package's models, or the path of a model card (.yaml)")
    faces: str = parameter(OWN_FACES, "the same for heads, where a face was detected; empty: a face is like any object")
    weights: str = parameter(
        "research", "research: the better ones; clean: of our own only those trained on data free for every use",
        choices=WEIGHTS,
    )  # fmt: skip
    threads: int = parameter(1, "inference threads", minimum=1, maximum=64)
    snapshots: str = parameter("", "folder in which the awakened object is remembered over a restart; empty: nowhere")


class Segment(Stage[Parameters]):
    """Awakens an object on request and follows it."""

    def on_start(self) -> None:
        """Load the model and what was awakened before a restart."""
        cv2.setNumThreads(1)
        p = self.parameters
        self.segmenter = Segmenter(find_card(p.model, "ar_segment", p.weights), p.threads)
        faces = None
        if p.faces == OWN_FACES and p.weights == "clean":
            self.notes["faces"] = "there are no clean weights for heads: a face is cut out like any object"
        elif p.faces:
            faces = FaceSegmenter(find_card(p.faces, "ar_segment"), p.threads)
        self.prompts = Prompts(self.segmenter, faces)
        self.notes["model"] = " + ".join(net.network.card.name for net in (self.segmenter, faces) if net)
        self.memory = Memory(Path(p.snapshots) / "segment") if p.snapshots else None
        self.frames: OrderedDict[int, Frame] = OrderedDict()
        self.candidates: OrderedDict[int, list[Candidate]] = OrderedDict()
        self.follower: Follower | None = None
        self.masks = self.advertise(Image, "segment/mask")
        self.objects = self.advertise(SegmentedObject, "segment/object", qos.latched(8))
        self.listen(Detection2DArray, "detections", self._on_detections, qos.reliable(KEPT), stage="detect", rides=True)
        self.serve(Awaken, "segment/awaken", self._awaken, asked_by="director")
        self.watch_camera()
        self.remembered = self.memory.read() if self.memory else None
        if self.remembered:
            self.objects.publish(self.remembered.message)

    def on_time_jump(self) -> None:
        """Frames and boxes of the other time are no longer meant; the object is looked for again."""
        self.frames.clear()
        self.candidates.clear()

    def process(self, frame: Frame) -> None:
        """The awakened object's mask in this frame; an empty one while there is no such object."""
        self.frames[frame.stamp] = frame
        while len(self.frames) > KEPT:
            self.frames.popitem(last=False)
        if self.follower is None and self.remembered:
            is_face = self.remembered.message.kind == FACE
            by = (self.prompts.faces if is_face else None) or self.segmenter
            self.follower = Follower.searching(by, frame.image, self.remembered.looks)
        if self.follower is None:
            self.publish(self.masks, image_message(np.zeros(frame.image.shape[:2], np.uint8), frame.header, "mono8"))
            return
        boxes = [c.box for c in self._candidates_at(frame.stamp)]
        followed = self.follower(frame.image, boxes, sparing=self.pressed)
        self.notes["object"] = f"lost: {followed.lost}" if followed.lost else "in sight"
        self.notes["short of time"] = "every other mask is only carried along" if self.pressed else ""
        self.items = 0 if followed.lost else 1
        self.publish(self.masks, image_message(followed.mask, frame.header, "mono8"))

    # ---- awakening

    def _awaken(self, request: Awaken.Request, response: Awaken.Response) -> Awaken.Response:
        frame = self._frame_meant(nanoseconds(request.stamp))
        meant, pixel = self._found(request, frame)
        found, kind = meant.found, meant.kind
        if meant.refusal:
            refusal = unseeable(frame.image) or meant.refusal
            self.event(frame.header.stamp, "awaken", pixel=pixel, success=False, message=refusal)
            response.success, response.message = False, refusal
            return response
        name = f"{kind}-{frame.stamp // 1_000_000}"
        cutout = cut_out(frame.image, found.mask)
        message = _object_message(name, kind, found, cutout, frame)
        self.publish(self.objects, message)
        self.event(frame.header.stamp, "awaken", id=name, pixel=pixel, success=True)
        self.follower = Follower(meant.by, frame.image, found)
        if self.memory:
            self.memory.write(message, self.follower.looks)
        self._catch_up(frame)
        response.success, response.id = True, name
        return response

    def _frame_meant(self, stamp: int) -> Frame:
        if not self.frames:
            raise ValueError("no picture has arrived yet")
        if stamp == 0:
            return next(reversed(self.frames.values()))
        nearest = min(self.frames, key=lambda kept: abs(kept - stamp))
        if abs(nearest - stamp) > 1_000_000_000:
            raise ValueError(f"the picture that was meant is {abs(nearest - stamp) / 1e9:.1f} s away from those kept")
        return self.frames[nearest]

    def _found(self, request: Awaken.Request, frame: Frame) -> tuple[Meant, list[float]]:
        """What the prompt means in the frame, and the prompt as an event tells it."""
        height, width = frame.image.shape[:2]
        values = [float(v) for v in (request.x, request.y, request.width, request.height)]
        if not np.isfinite(values).all():
            raise ValueError("the prompt holds a NaN or infinite number")
        x, y, w, h = values
        candidates = self._candidates_at(frame.stamp)
        if request.prompt == Awaken.Request.PIXEL:
            if not (0 <= x < width and 0 <= y < height):
                raise ValueError(f"pixel {x:g}, {y:g} is outside of the {width}x{height} picture")
            return self.prompts.tap(frame.image, x, y, candidates), [x, y]
        if request.prompt == Awaken.Request.BOX:
            box = Box(x, y, w, h).clipped(width, height)
            if min(box.width, box.height) < 4:
                raise ValueError(f"box {x:g}, {y:g}, {w:g}, {h:g} holds nothing of the {width}x{height} picture")
            return self.prompts.box(frame.image, box, candidates), [*box]
        if request.prompt == Awaken.Request.DETECTION:
            meant = [c for c in candidates if c.id == request.detection_id]
            if not meant:
                raise ValueError(f"there is no detection '{request.detection_id}' in that picture")
            return self.prompts.detection(frame.image, meant[0]), [*meant[0].box]
        if request.prompt != Awaken.Request.NONE:
            raise ValueError(f"prompt {request.prompt} is unknown: 0 none, 1 pixel, 2 box, 3 detection")
        found = self.prompts.prominent(frame.image, candidates)
        return found, [*found.found.box] if found.found.area else []

    def _candidates_at(self, stamp: int) -> list[Candidate]:
        """The newest detections that are not newer than the frame."""
        older = [s for s in self.candidates if s <= stamp]
        return self.candidates[max(older)] if older else []

    def _catch_up(self, frame: Frame) -> None:
        """From the frame that was meant to the newest: the object may have moved since."""
        later = [f for s, f in self.frames.items() if s > frame.stamp]
        step = max(1, -(-len(later) // CATCH_UP))
        for one in [*later[step - 1 : -1 : step], *later[-1:]]:
            assert self.follower is not None
            self.follower(one.image)

    def _on_detections(self, message: Detection2DArray) -> None:
        candidates = []
        for d in message.detections:
            x, y, w, h = d.bbox.center.position.x, d.bbox.center.position.y, d.bbox.size_x, d.bbox.size_y
            if not np.isfinite([x, y, w, h]).all() or w <= 0 or h <= 0:
                raise ValueError(f"detection '{d.id}' has an impossible box ({x:g}, {y:g}, {w:g}, {h:g})")
            kind = d.results[0].hypothesis.class_id if d.results else "object"
            candidates.append(Candidate(d.id, Box(x - w / 2, y - h / 2, w, h), kind))
        stamp = nanoseconds(message.header.stamp)
        self.submit(lambda: self._keep(stamp, candidates))

    def _keep(self, stamp: int, candidates: list[Candidate]) -> None:
        self.candidates[stamp] = candidates
        while len(self.candidates) > KEPT:
            self.candidates.popitem(last=False)


def _object_message(name: str, kind: str, found: Segmentation, cutout: Cutout, frame: Frame) -> SegmentedObject:
    height, width = frame.image.shape[:2]
    message = SegmentedObject(header=frame.header, id=name, kind=kind, score=float(score(found)))
    message.image_width, message.image_height = width, height
    message.roi.x_offset, message.roi.y_offset = cutout.x, cutout.y
    message.roi.height, message.roi.width = cutout.rgba.shape[:2]
    message.cutout = image_message(cutout.rgba, frame.header, "rgba8")
    return message


def make() -> Segment:
    """The node."""
    return Segment("segment", Parameters)


def main() -> None:
    """Entry point."""
    run(make)


if __name__ == "__main__":
    main()
