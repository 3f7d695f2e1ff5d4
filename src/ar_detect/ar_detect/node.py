"""Detection as a node: `camera/image_raw` → `detections`, one array per frame, the most prominent object first."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
from std_msgs.msg import Header
from vision_msgs.msg import Detection2D, Detection2DArray, LabelInfo, ObjectHypothesisWithPose, VisionClass

from ar_core import qos
from ar_core.model_card import WEIGHTS, find_card
from ar_core.parameters import parameter
from ar_core.stage import Frame, Stage, run
from ar_core.visibility import unseeable
from ar_detect.detector import Detection, Detector, prominence, ranked
from ar_detect.sight import Sight
from ar_detect.tracking import Track

KINDS = ("object", "face")
OWN_FACES = "face"

FRAME_NS = 1_000_000_000 / 30
"""The tracker's unit of time."""

TELL = 30
"""Frames without any object until the reason is looked for, and again."""


@dataclass(frozen=True)
class Parameters:
    """Parameters of the detection node."""

    model: str = parameter("detect", "one of the package's models, or the path of a model card (.yaml)")
    faces: str = parameter(OWN_FACES, "the same for the network that finds faces; empty: no faces are looked for")
    weights: str = parameter(
        "research", "research: the better ones; clean: of our own only those trained on data free for every use",
        choices=WEIGHTS,
    )  # fmt: skip
    threads: int = parameter(1, "inference threads", minimum=1, maximum=64)
    every: int = parameter(3, "the network runs on every n-th frame, boxes are tracked between", minimum=1, maximum=30)
    every_face: int = parameter(6, "the network for faces runs on every n-th frame", minimum=1, maximum=60)
    least_score: float = parameter(0.3, "less sure detections are left out", minimum=0.05, maximum=0.95)


class Detect(Stage[Parameters]):
    """Boxes with ids that stay."""

    def on_start(self) -> None:
        """Load the model; a broken one is said here and never later."""
        cv2.setNumThreads(1)
        p = self.parameters
        objects = network(p, p.model, "object")
        faces: Detector | None = None
        if p.faces == OWN_FACES and p.weights == "clean":
            self.notes["faces"] = "there are no clean weights for faces: none are looked for"
        elif p.faces:
            faces = network(p, p.faces, "face")
        self.sight = Sight(objects, faces, p.every, p.every_face)
        self.notes["model"] = " + ".join(d.network.card.name for d in (objects, faces) if d)
        self.on_time_jump()
        self.detections = self.advertise(Detection2DArray, "detections")
        self.labels = self.advertise(LabelInfo, "detect/label_info", qos.latched())
        classes = [VisionClass(class_id=k, class_name=name) for k, name in enumerate(KINDS)]
        self.labels.publish(LabelInfo(class_map=classes, threshold=p.least_score))
        self.watch_camera()

    def on_time_jump(self) -> None:
        """Forget the tracks: their time is over."""
        self.sight.forget()
        self.last_stamp: int | None = None
        self._bare = 0

    def process(self, frame: Frame) -> None:
        """The networks on every n-th frame, the trackers on all."""
        passed = 1 if self.last_stamp is None else max(1, round((frame.stamp - self.last_stamp) / FRAME_NS))
        self.last_stamp = frame.stamp
        tracks = self.sight(frame.image, passed, sparing=self.pressed)
        self.notes["short of time"] = "the networks run half as often" if self.pressed else ""
        height, width = frame.image.shape[:2]
        self.items = len(tracks)
        self._bare = 0 if tracks else self._bare + 1
        if self._bare % TELL == 0:
            self.notes["nothing"] = "" if tracks else unseeable(frame.image) or "no object stands out"
        self.publish(self.detections, detection_array(tracks, width, height, frame.header))


def network(parameters: Parameters, model: str, kind: str) -> Detector:
    """What finds `kind`; ModelError if it cannot be used."""
    card = find_card(model, "ar_detect", parameters.weights)
    return Detector(card, parameters.threads, least_score=parameters.least_score, kind=kind)


def detection_array(tracks: list[Track], width: int, height: int, header: Header) -> Detection2DArray:
    """The tracks as a message, most prominent first; the score is the prominence, so that both orders agree."""
    by_detection = {Detection(t.box.clipped(width, height), t.score, t.kind): t.id for t in tracks}
    order = ranked([d for d in by_detection if d.box.area > 0], width, height)
    message = Detection2DArray(header=header)
    for detection in order:
        one = Detection2D(header=header, id=by_detection[detection])
        one.bbox.center.position.x, one.bbox.center.position.y = detection.box.centre
        one.bbox.size_x, one.bbox.size_y = detection.box.width, detection.box.height
        result = ObjectHypothesisWithPose()
        result.hypothesis.class_id = detection.kind
        result.hypothesis.score = prominence(detection, width, height)
        one.results = [result]
        message.detections.append(one)
    return message


def make() -> Detect:
    """The node."""
    return Detect("detect", Parameters)


def main() -> None:
    """Entry point."""
    run(make)


if __name__ == "__main__":
    main()
