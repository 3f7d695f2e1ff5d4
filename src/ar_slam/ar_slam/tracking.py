"""Following the map from frame to frame, and the keyframes' templates that take the drift out of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from ar_core.geometry import Array, nearest_rotation
from ar_slam.flow import Grey, Pixels, follow, returns
from ar_slam.keyframes import CANDIDATE, MAPPED, Map
from ar_slam.pose import PoseFit, project, rotation, solve_pose
from ar_slam.results import State
from ar_slam.templates import Ids, Template, grey_levels, make_template

RETRIES = (6, 12, 24, 48)  # frames without a keyframe's agreement after which one is looked for farther about
OLD_SHARE = 0.5  # of the best keyframe's score: as well seen as this, the oldest keyframe is asked every other time
REACH = (0.7, 1.5, 3.0)  # pixels of surprise from which pictures are followed over one more level of the pyramid
EVERY = 3  # frames: so often a keyframe is asked
AGREE_PX = 3.0  # by which two ways to the same camera may differ
FIT_PX = 4.0  # a template serves as long as the view has turned and grown by less, at its points
MOST = 200  # points that are followed, from which on those without a place are not looked for again
SEEN_AGAIN_PX = 5.0  # by which such a point may be off, where it would be in the plane of the others
NOTHING = np.zeros(0, int), np.zeros((0, 2), np.float32)


@dataclass(frozen=True)
class Tracked:
    """A pose and the points ids (n,) it was found from, at uv (n, 2); inliers as in fit. matched: found in a keyframe, too."""

    fit: PoseFit
    ids: Ids
    uv: Pixels
    matched: int


class Tracker:
    """The camera's pose from frame to frame. R, t is the newest; ids (n,), uv (n, 2) what is followed, candidates too."""

    def __init__(self, m: Map, K: Array, size: tuple[int, int]) -> None:
        self.map, self.K, self.size = m, K, size
        self.R, self.t = np.eye(3), np.zeros(3)
        self.velocity = np.zeros(6)
        self.ids: Ids = np.zeros(0, int)
        self.uv: Pixels = np.zeros((0, 2), np.float32)
        self.previous: Grey | None = None
        self.frame = 0
        self.keyframe_at = -10  # the frame of the last keyframe
        self.surprise = np.inf  # pixels by which the last prediction was off
        self.jumped = False  # an old keyframe has just corrected a pose that had drifted
        self.unconfirmed = 0  # frames since a keyframe's template agreed
        self.fixed = False  # the map stays as it is
        self._seen_again = NOTHING  # points without a place that a keyframe shows in the picture
        self._templates: dict[int, Template] = {}  # the two used last, by their keyframes' keys

    def place(self, grey: Grey, R: Array, t: Array, ids: Ids, uv: Pixels) -> None:
        """Start from a known pose and points."""
        self.R, self.t, self.ids, self.uv, self.previous = R, t, ids.copy(), uv.astype(np.float32), grey
        self.velocity = np.zeros(6)
        self.surprise = np.inf
        self.unconfirmed = 0
        self._templates.clear()

    def step(self, grey: Grey) -> Tracked | None:
        """Find the camera in the next picture, from where it was; None where it cannot be found. On success R, t move on."""
        self.frame += 1
        self.jumped = False
        self._seen_again = NOTHING
        R_guess, t_guess = self._predict()
        use_templates = self.frame % EVERY == 0 or self.unconfirmed > 1
        ids, uv = self._follow(grey, R_guess, t_guess, check_back=not use_templates)
        mapped = self.map.mapped(ids)
        X = self.map.X[ids[mapped]]
        coarse = sum(self.surprise > reach for reach in REACH)
        fit = (
            solve_pose(self.K, R_guess, t_guess, X, uv[mapped].astype(np.float64), self.size, True, coarse)
            if mapped.sum() >= 10
            else None
        )
        found = None if fit is None else Tracked(fit, ids[mapped], uv[mapped], 0)
        if found is None or use_templates or found.fit.count < 60:
            found = self._with_templates(grey, found, R_guess, t_guess)
        if found is None:
            return None
        waiting = self.map.status[ids] == CANDIDATE
        again = ~np.isin(self._seen_again[0], ids)
        again[np.cumsum(again) > max(0, MOST - len(ids))] = False
        candidates = np.r_[ids[waiting], self._seen_again[0][again]]
        self._accept(grey, found, candidates, np.vstack([uv[waiting], self._seen_again[1][again]]))
        return found

    def search(
        self, grey: Grey, R: Array, t: Array, index: int, radius_px: float, levels: int, window: int = 15
    ) -> Tracked | None:
        """The camera near R, t by the template of keyframe index alone."""
        seen = self._match(grey, R, t, index, radius_px, levels, window)
        if seen is None or len(seen[0]) < 8:
            return None
        fit = solve_pose(self.K, R, t, self.map.X[seen[0]], seen[1].astype(np.float64), self.size, True)
        return None if fit is None else Tracked(fit, seen[0], seen[1], fit.count)

    def agrees(self, fit: PoseFit, found: Tracked) -> bool:
        """Whether another camera sees the points of one that was found at about the same pixels."""
        X = self.map.X[found.ids[found.fit.inliers]]
        d = project(self.K, fit.R, fit.t, X)[0] - project(self.K, found.fit.R, found.fit.t, X)[0]
        return bool(np.median(np.hypot(*d.T)) < AGREE_PX)

    def forget_templates(self) -> None:
        """After the map moved."""
        self._templates.clear()

    def forget_dead(self) -> None:
        """Between two pictures, while nobody else speaks of points by their numbers: the map is rid of dead ones."""
        number = self.map.forget_dead()
        if number is None:
            return
        alive = number[self.ids] >= 0
        self.ids, self.uv = number[self.ids[alive]], self.uv[alive]
        for key, template in self._templates.items():
            alive = number[template.ids] >= 0
            self._templates[key] = replace(template, ids=number[template.ids[alive]], uv=template.uv[alive])

    def _predict(self) -> tuple[Array, Array]:
        dR = rotation(self.velocity[3:])
        return nearest_rotation(dR @ self.R), dR @ self.t + self.velocity[:3]

    def _follow(self, grey: Grey, R: Array, t: Array, check_back: bool) -> tuple[Ids, Pixels]:
        """The tracks in the next picture, starting where the pose R, t would show them."""
        assert self.previous is not None
        mapped = self.map.mapped(self.ids)
        guess = self.uv.copy()
        if mapped.any():
            X = self.map.X[self.ids[mapped]]
            shift = project(self.K, R, t, X)[0] - project(self.K, self.R, self.t, X)[0]
            shift[np.abs(shift).max(1) > 200] = 0
            guess[mapped] += shift.astype(np.float32)
            if not mapped.all():
                guess[~mapped] += np.median(shift, 0).astype(np.float32)
        levels = sum(self.surprise > reach for reach in REACH)
        p, ok, error = follow(self.previous, grey, self.uv, guess, levels)
        ok &= error < 20
        self.surprise = float(np.median(np.abs(p - guess)[ok])) if ok.sum() > 20 else np.inf
        if check_back:
            ok[ok] = returns(self.previous, grey, self.uv[ok], p[ok])
        return self.ids[ok], p[ok]

    def _with_templates(self, grey: Grey, found: Tracked | None, R: Array, t: Array) -> Tracked | None:
        """The pose again with what keyframes say; the frame-to-frame pose where they show nothing of it."""
        if found is not None:
            R, t = found.fit.R, found.fit.t
        ranked = self.map.rank(self.K, self.size, R, t)
        if not ranked:
            self.unconfirmed += 1
            return found
        if found is None or self.unconfirmed in RETRIES:
            for index, _ in ranked[:2]:  # from the keyframe alone, and farther about
                self._templates.clear()
                again = self.search(grey, R, t, index, 25.0, 3)
                if again is not None and (found is None or again.fit.count >= 25):
                    self.unconfirmed = 0
                    self.jumped = found is not None
                    return again
            if found is None:
                return None
        index = ranked[0][0]
        if self.frame % (2 * EVERY) == 0:  # what was seen long ago keeps the map from drifting
            index = min(i for i, score in ranked if score >= OLD_SHARE * ranked[0][1])
        both = self._agree(grey, found, index)
        confirmed = both is not None and both.matched >= 12
        self.unconfirmed = 0 if confirmed else self.unconfirmed + 1
        return both or found

    def _agree(self, grey: Grey, found: Tracked, index: int) -> Tracked | None:
        """A frame-to-frame pose together with the template of keyframe index, which takes the drift out of the tracks."""
        seen = self._match(grey, found.fit.R, found.fit.t, index, 5.0, 1)
        if seen is None or len(seen[0]) < 8:
            return None
        ids, uv = seen
        flow_ids, flow_uv = found.ids[found.fit.inliers], found.uv[found.fit.inliers]
        row = np.full(len(self.map.X), -1)
        row[flow_ids] = np.arange(len(flow_ids))
        j = row[ids]
        apart = np.where(j >= 0, np.hypot(*(uv - flow_uv[np.maximum(j, 0)]).T), 0)
        ids, uv = ids[apart < 2.0], uv[apart < 2.0]
        row[ids] = -1
        rest = row[flow_ids] >= 0
        ids, uv, matched = np.r_[ids, flow_ids[rest]], np.vstack([uv, flow_uv[rest]]), len(ids)
        X = self.map.X[ids]
        fit = solve_pose(self.K, found.fit.R, found.fit.t, X, uv.astype(np.float64), self.size, False, 0)
        return None if fit is None else Tracked(fit, ids, uv, int(fit.inliers[:matched].sum()))

    def _match(
        self, grey: Grey, R: Array, t: Array, index: int, radius_px: float, levels: int, window: int = 15
    ) -> tuple[Ids, Pixels] | None:
        """Points of keyframe index found in the picture within radius_px of where the pose R, t shows them."""
        key = self.map.keyframes[index].key
        template = self._templates.pop(key, None)
        if template is None or not self._fits(template, R, t):
            template = make_template(self.map, self.K, self.size, index, R, t)
        if template is None:
            return None
        self._templates = {**dict(list(self._templates.items())[-1:]), key: template}
        median, spread = grey_levels(grey[template.box])
        gain = float(np.clip(spread / template.spread, 0.6, 1.7))
        bias = median - gain * template.median
        image = template.image
        if abs(gain - 1) > 0.04 or abs(bias) > 4:
            image = np.asarray(cv2.LUT(image, np.clip(np.arange(256) * gain + bias, 0, 255).astype(np.uint8)), np.uint8)
        status = self.map.status[template.ids]
        p0, z = project(self.K, R, t, self.map.X[template.ids])
        mapped, waiting = (status == MAPPED) & (z > 0), status == CANDIDATE
        if not mapped.any():
            return None
        p0[waiting] = template.uv[waiting] + np.median(p0[mapped] - template.uv[mapped], axis=0)  # about there
        there = mapped | waiting
        ids, p0, mapped = template.ids[there], p0[there], mapped[there]
        p, ok, error = follow(image, grey, template.uv[there], p0.astype(np.float32), levels, window)
        ok &= (error < 24) & (np.hypot(*(p - p0).T) < radius_px)
        again = ok & ~mapped & (np.hypot(*(p - p0).T) < SEEN_AGAIN_PX)
        self._seen_again = ids[again], p[again]
        return ids[ok & mapped], p[ok & mapped]

    def _fits(self, template: Template, R: Array, t: Array) -> bool:
        """Whether a template made for an earlier view still serves."""
        X = self.map.X[template.ids[self.map.mapped(template.ids)]]
        if len(X) < 8:
            return False
        d = project(self.K, R, t, X)[0] - project(self.K, template.R, template.t, X)[0]
        return bool(np.median(np.hypot(*(d - np.median(d, 0)).T)) < FIT_PX)

    def _accept(self, grey: Grey, found: Tracked, candidates: Ids, candidates_uv: Pixels) -> None:
        fit, m = found.fit, self.map
        dR = fit.R @ self.R.T
        self.velocity = np.r_[fit.t - dR @ self.t, cv2.Rodrigues(dR)[0].ravel()]
        self.R, self.t = fit.R, fit.t
        good, bad = found.ids[fit.inliers], found.ids[~fit.inliers]
        if not self.fixed:
            m.hits[good] += 1
            m.misses[bad] += 1
            m.status[bad[(m.misses[bad] > 8) & (m.misses[bad] > m.hits[bad])]] = -1
        self.ids = np.r_[good, candidates]
        self.uv = np.vstack([found.uv[fit.inliers], candidates_uv]).astype(np.float32)
        self.previous = grey


def quality(found: Tracked, unconfirmed: int) -> tuple[State, str]:
    """How well the camera is known, and why not better; unconfirmed: pictures since a keyframe has confirmed the pose."""
    if found.fit.count < 30:
        return State.WEAK, f"only {found.fit.count} points of the map are seen"
    if unconfirmed > 30:
        return State.WEAK, "no keyframe confirms the pose"
    return State.TRACKING, ""
