"""A trajectory as a picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.geometry import Array
from ar_slam import evaluation
from ar_slam.evaluate import Run
from ar_slam.slam import State

COLOURS = {State.TRACKING: (90, 170, 60), State.RELOCALISED: (90, 170, 60), State.WEAK: (40, 180, 240)}
ELSE = (190, 190, 190)
SIZE, MARGIN = 480, 24


def draw(done: Run, truth: list[Array | None] | None) -> NDArray[np.uint8]:
    """The trajectory from above (H, W, 3) uint8, the aligned truth in black where it is known; below it the states in time."""
    picture = np.full((SIZE + MARGIN, SIZE, 3), 255, np.uint8)
    known = [(i, r) for i, r in enumerate(done.results) if r.state in COLOURS and r.T_map_camera is not None]
    path = evaluation.centres([r.T_map_camera for _, r in known if r.T_map_camera is not None])
    other = np.zeros((0, 3))
    if truth is not None:
        pairs = [(r.T_map_camera, truth[i]) for i, r in known if r.T_map_camera is not None and truth[i] is not None]
        true = evaluation.centres([T for _, T in pairs if T is not None])
        if len(pairs) >= 3:
            other = evaluation.align(true, evaluation.centres([E for E, _ in pairs]), True)(true)
    points = np.vstack([path, other])[:, :2]
    if len(points):
        low, reach = points.min(0), max(1e-6, float(np.ptp(points, axis=0).max()))
        to_pixels = (SIZE - 2 * MARGIN) / reach
        for line, colours in ((other, None), (path, [COLOURS[r.state] for _, r in known])):
            at = MARGIN + (line[:, :2] - low) * to_pixels
            at[:, 1] = SIZE - at[:, 1]
            for k, (x, y) in enumerate(at.round().astype(int)):
                radius, colour = (2, (0, 0, 0)) if colours is None else (1, colours[k])  # the truth shows around it
                cv2.circle(picture, (int(x), int(y)), radius, colour, -1)
        cv2.putText(
            picture, f"{reach:.2f} m", (MARGIN, MARGIN), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (90, 90, 90), 1, cv2.LINE_AA
        )
    n = len(done.results)
    for i, r in enumerate(done.results):
        columns = slice(i * SIZE // n, max(i * SIZE // n + 1, (i + 1) * SIZE // n))
        picture[SIZE + 4 :, columns] = COLOURS.get(r.state, ELSE)
    return picture
