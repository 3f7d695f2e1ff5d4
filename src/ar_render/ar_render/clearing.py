"""Takes the objects that came alive out of the picture: which part of a mask is whose, and the table learned beside."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.allocator import thrifty
from ar_core.geometry import Plane, hit_plane, transform

from .actors import Actor, Seen
from .glimpses import Glimpse
from .hole import Table, fill
from .light import LightMeter
from .plane_view import View, plane_axes

Array = NDArray[Any]
_LEAVING_S = 0.8
_ENOUGH = 3  # lessons
_TAKEN_NS = 300_000_000  # after a lesson began, in image time: about what it takes on two cores
_GLIMPSES, _APART = 4, 0.25  # so many pictures, so far from each other, in heights above the table
_PAUSES_NS = (800_000_000, 4_000_000_000)  # a lesson costs as much as ten pictures; once it was seen from all round


class Clearing:
    """Fills the places of objects; tells the meter where light comes from when their shadows say so.

    synchronous: what is learned of the table takes effect at once the first time, then so long after the picture that began
    the lesson, and is waited for if need be: so every replay gives the same.
    """

    def __init__(self, meter: LightMeter, *, synchronous: bool = False) -> None:
        self.meter, self.synchronous = meter, synchronous
        self._student = ThreadPoolExecutor(1, "study")
        self._studied: dict[str, int] = {}  # stamp of each actor's last lesson
        self._glimpses: deque[tuple[Array, int, Seen]] = deque(maxlen=_GLIMPSES)

    def close(self) -> None:
        """Let go of the thread that studies."""
        self._student.shutdown(cancel_futures=True)

    def watch(self, picture: Array, stamp: int, seen: Seen) -> None:
        """Keep a few pictures from different places: what an object will hide when it comes alive may be seen in them."""
        if self._glimpses and self._glimpses[-1][2].map_id != seen.map_id:
            self._glimpses.clear()
        eye, plane = seen.view.T_map_camera[:3, 3], seen.view.plane
        far = _APART * abs(float(plane.normal @ eye) - plane.distance)
        if all(np.linalg.norm(then.view.T_map_camera[:3, 3] - eye) > far for _, _, then in self._glimpses):
            self._glimpses.append((picture.copy(), stamp, seen))

    def clear(self, picture: Array, mask: Array, here: list[Actor], stamp: int, seen: Seen, fresh: bool) -> Array:
        """The picture without the objects that have come alive."""
        for actor in here:
            if actor.table is None or actor.table.map_id != seen.map_id:
                axes = plane_axes(seen.view.plane)
                x, y, _ = axes[:, :3] @ actor.origin + axes[:, 3]
                tall = min(actor.height, stature(mask, actor.origin, seen.view))  # the character may have longer legs
                actor.table, actor.study = Table((float(x), float(y)), tall, seen.map_id), None
            if fresh:
                self._study(actor, actor.table, picture, mask, stamp, seen)
            actor.table.turn(stamp)
        out = picture
        for actor, part in shared(mask, here, seen.view):
            part = plausible(part, actor, seen.view)
            gone = min(1.0, actor.seconds(stamp) / _LEAVING_S)  # it does not vanish, it gets up
            filled = fill(out, part, seen.view, actor.table, gone)
            if filled is not None:
                cut, (x0, y0, x1, y1) = filled
                out = out.copy() if out is picture else out
                out[y0:y1, x0:x1] = cut
        return out

    def _study(self, actor: Actor, table: Table, picture: Array, mask: Array, stamp: int, seen: Seen) -> None:
        """Let the table be learned, beside the pictures."""
        if table.can_learn(seen.view, stamp):
            earlier = self._earlier(actor, mask, seen) if not table.seen_from else []
            seen_now = [table.of_use(glimpse) for glimpse in (*earlier, Glimpse(picture, mask, seen.view, stamp))]
            table.waiting[:] = [*table.waiting, *seen_now][-_GLIMPSES:]
        rested = not table.seen_from or stamp - self._studied.get(actor.id, 0) > _PAUSES_NS[table.lessons > _ENOUGH]
        if actor.study is None and rested and table.waiting:
            self._studied[actor.id] = stamp
            actor.study = self._student.submit(thrifty, table.learned, tuple(table.waiting))
            table.waiting.clear()
        if actor.study is not None and self._done(actor.study, table, stamp - self._studied[actor.id]):
            new, actor.study = actor.study.result(), None
            if new.map_id == table.map_id:
                if not table.seen_from and new.lamp is not None:
                    self.meter.found_shadow(*new.lamp, plane_axes(seen.view.plane))
                new.follow(table, stamp)
                actor.table = new

    def _done(self, study: Future[Table], table: Table, age_ns: int) -> bool:
        """Whether a lesson's result is to be taken; where every replay must give the same that is a matter of stamps."""
        return study.done() if not self.synchronous else not (table.seen_from and 0 <= age_ns < _TAKEN_NS)

    def _earlier(self, actor: Actor, mask: Array, seen: Seen) -> list[Glimpse]:
        """Pictures from before the actor came alive, with where its object was in them."""
        return [
            Glimpse(picture, seen_before(mask, actor.origin, seen.view, then.view), then.view, stamp)
            for picture, stamp, then in self._glimpses
            if then.map_id == seen.map_id
        ]


def facing(origin: Array, view: View) -> Plane:
    """The upright plane through a place (3,) that faces the camera."""
    up = np.asarray(view.plane.normal)
    normal = view.T_map_camera[:3, 3] - origin
    normal = normal - up * float(up @ normal)
    normal = normal / max(float(np.linalg.norm(normal)), 1e-9)
    return Plane(normal, float(normal @ origin))


def stature(mask: Array, origin: Array, view: View) -> float:
    """Metres from the table to the top of an object, about as wide as deep, that stands at ``origin`` (3,), as its mask (H, W)
    uint8 shows it; infinite where it does not."""
    x, y, w, _ = cv2.boundingRect(cv2.threshold(mask, 40, 255, cv2.THRESH_BINARY)[1])
    corners = np.array([[x, y], [x + w, y]], np.float64)
    card = facing(origin, view)
    left, right = hit_plane(corners, view.intrinsics, view.T_map_camera, card)
    up, eye = np.asarray(view.plane.normal), view.T_map_camera[:3, 3] - origin
    slope = float(up @ eye) / max(float(card.normal @ eye), 1e-9)  # its rim is seen behind its middle
    top = 0.5 * float(up @ (left + right)) - view.plane.distance
    tall = max(top - 0.3 * slope * float(np.linalg.norm(right - left)), 0.3 * top)
    return tall if np.isfinite(tall) and tall > 0 else np.inf


def seen_before(mask: Array, origin: Array, view: View, then: View) -> Array:
    """A mask (H, W) uint8 of an object that stands at ``origin`` (3,) as another view would show it, were it a card facing the
    first."""
    x, y, w, h = cv2.boundingRect(cv2.threshold(mask, 40, 255, cv2.THRESH_BINARY)[1])
    corners = np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]], np.float64)
    hits = hit_plane(corners, view.intrinsics, view.T_map_camera, facing(origin, view))
    there = then.intrinsics.project(hits, then.T_map_camera)
    if not np.isfinite(there).all():
        return np.full_like(mask, 255)
    H = cv2.getPerspectiveTransform(corners.astype(np.float32), there.astype(np.float32))
    return np.asarray(cv2.warpPerspective(mask, H, mask.shape[::-1]))


def carried(mask: Array, then: Seen | None, here: list[Actor], seen: Seen) -> Array:
    """An older mask, moved and scaled as the first object moved in the picture since."""
    if then is None or not here or then.map_id != seen.map_id:
        return mask
    up = np.array([np.zeros(3), seen.view.plane.normal * here[0].height]) + here[0].origin
    before = then.view.intrinsics.project(up, then.view.T_map_camera)
    after = seen.view.intrinsics.project(up, seen.view.T_map_camera)
    if not (np.isfinite(before).all() and np.isfinite(after).all()):
        return mask
    scale = float(np.linalg.norm(after[1] - after[0])) / max(float(np.linalg.norm(before[1] - before[0])), 1e-6)
    shift = after[0] - scale * before[0]
    M = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    return np.asarray(cv2.warpAffine(mask, M, mask.shape[::-1]))


def shared(mask: Array, here: list[Actor], view: View) -> list[tuple[Actor, Array]]:
    """Each actor's part of the mask: what is nearest to where its object stood."""
    if len(here) < 2:
        return [(a, mask) for a in here]
    count, labels, _, centres = cv2.connectedComponentsWithStats((mask > 40).astype(np.uint8))
    feet = view.intrinsics.project(np.array([a.origin for a in here]), view.T_map_camera)
    feet = np.where(np.isfinite(feet), feet, 1e9)
    owner = [int(np.argmin(np.linalg.norm(feet - c, axis=1))) for c in centres[1:count]]
    return [
        (actor, np.where(np.isin(labels, [k + 1 for k, o in enumerate(owner) if o == i]), mask, 0).astype(np.uint8))
        for i, actor in enumerate(here)
    ]


def plausible(mask: Array, actor: Actor, view: View) -> Array:
    """The mask, cut to where the actor's object can be when it is far too large: a segmenter may take the table along."""
    _, _, w, h = cv2.boundingRect(cv2.threshold(mask, 40, 255, cv2.THRESH_BINARY)[1])
    home = actor.home(view.plane)
    home[:3, 3] += actor.origin - actor.spot
    half = max(0.5 * actor.height, actor.body.proxy.radius * actor.scale)
    box = np.array([[i, j, k] for i in (-half, half) for j in (-half, half) for k in (0.0, actor.height)])
    uv = view.intrinsics.project(transform(home, box), view.T_map_camera)
    if not np.isfinite(uv).all():
        return mask
    low, high = uv.min(0), uv.max(0)
    if w * h < 4 * float(np.prod(high - low)):
        return mask
    grow = 0.25 * (high - low)
    (x0, y0), (x1, y1) = np.maximum(low - grow, 0).astype(int), np.maximum(high + grow, 0).astype(int)
    out = np.zeros_like(mask)
    out[y0:y1, x0:x1] = mask[y0:y1, x0:x1]
    return out
