"""The sequences with a name, and what a camera adds to a picture: blur, noise, changing light, a hand, a covered lens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.geometry import Array, Intrinsics
from sequences.scene import Scene, render
from sequences.splice import Spliced
from sequences.texture import Image
from sequences.trajectory import Trajectory, held, look_at, through, turning

BAND = 24  # rows that are taken to be exposed at once
CAMERA = Intrinsics(525.0, 525.0, 319.5, 239.5, 640, 480)
FISHEYE = Intrinsics(370.0, 372.0, 316.0, 243.0, 640, 480, (-0.03, 0.008, -0.004, 0.0005), fisheye=True)  # 125 degrees


@dataclass(frozen=True)
class Sequence:
    """What is seen, from where, and how: iterate for (stamp, picture (H, W, 3) uint8 bgr, T_map_camera (4, 4)).

    shutter in seconds (motion blur over `blur_steps` renderings); readout: seconds from the first row to the last (rolling
    shutter, in bands of `BAND` rows; the pose is that of the middle row); noise in grey levels; light: 0..1, how much it changes;
    hand: whether one comes into view; covered: from, to in seconds; the plane is z = 0 of the truth's map.
    """

    scene: Scene
    trajectory: Trajectory
    seconds: float
    intrinsics: Intrinsics = CAMERA
    rate: float = 30.0
    shutter: float = 0.0
    blur_steps: int = 3
    readout: float = 0.0
    noise: float = 2.0
    light: float = 0.0
    hand: bool = False
    covered: tuple[float, float] | None = None
    rest: tuple[float, float] | None = None
    seed: int = 0

    def __len__(self) -> int:
        return round(self.seconds * self.rate)

    def __iter__(self) -> Iterator[tuple[float, Image, Array]]:
        rng = np.random.default_rng(self.seed)
        h, w = self.intrinsics.height, self.intrinsics.width
        grain = rng.standard_normal((h + 96, w + 96, 1), np.float32) * self.noise
        for i in range(len(self)):
            s = i / self.rate
            y, x = rng.integers(0, 96, 2)  # a new cut of it for each picture: quicker than new grain
            yield s, self._picture(s, grain[y : y + h, x : x + w]), self.trajectory(s)

    def _picture(self, s: float, grain: NDArray[np.float32]) -> Image:
        if self.shutter > 0:
            times = s + self.shutter * (np.arange(self.blur_steps) / (self.blur_steps - 1) - 0.5)
            picture = np.mean([self._exposed(t) for t in times], 0, dtype=np.float32)
        else:
            picture = self._exposed(s).astype(np.float32)
        if self.light:
            gain = 1 + 0.35 * self.light * np.sin(2 * np.pi * s / 4)
            picture = picture * np.float32(gain) + np.float32(15 * self.light * np.sin(2 * np.pi * s / 2.7))
        if self.hand and 0.45 < (s / self.seconds) < 0.8:
            _hand(picture, np.sin(np.pi * (s / self.seconds - 0.45) / 0.35))
        if self.covered and self.covered[0] <= s < self.covered[1]:
            picture[:] = 14
        picture += grain
        return np.clip(picture, 0, 255).astype(np.uint8)

    def _exposed(self, s: float) -> Image:
        """What falls on the sensor at an instant, or row by row around it."""
        if not self.readout:
            return render(self.scene, self.intrinsics, self.trajectory(s))
        camera, bands = self.intrinsics, []
        for top in range(0, camera.height, BAND):
            rows = min(BAND, camera.height - top)
            late = self.readout * ((top + rows / 2) / camera.height - 0.5)
            band = replace(camera, cy=camera.cy - top, height=rows)
            bands.append(render(self.scene, band, self.trajectory(s + late)))
        return np.vstack(bands)


def _hand(picture: Image, reach: float) -> None:
    """A hand that comes in from the right."""
    h, w = picture.shape[:2]
    mask = np.zeros((h, w), np.uint8)
    x, y = int(w * (1 - 0.45 * reach)), int(h * (0.95 - 0.3 * reach))
    cv2.ellipse(mask, (x, y), (w // 7, h // 7), 30, 0, 360, 255, -1)
    for k in range(4):
        cv2.ellipse(
            mask, (x - w // 9 + 8 * k, y - h // 7 + h // 13 * k), (w // 8, h // 30), 10 + 14 * k, 0, 360, 255, -1
        )
    cv2.line(mask, (x, y), (int(1.2 * w), int(1.15 * h)), 255, w // 6)
    alpha = cv2.GaussianBlur(mask, (7, 7), 0)[..., None].astype(np.float32) / 255
    shade = 1 + 0.08 * np.sin(np.arange(w) / 23)[None, :, None] * np.cos(np.arange(h) / 31)[:, None, None]
    picture[:] = picture * (1 - alpha) + alpha * np.array([120, 150, 205]) * shade


ORBIT = (
    (0, -90, 45, 0.62, 0, 0),
    (1.5, -76, 44, 0.6, 0.03, 0),
    (3, -40, 40, 0.56, 0, 0.04),
    (4.2, -20, 42, 0.55, 0.02, 0),
    (8, 20, 55, 0.5, 0, 0),
)
LOOP = (
    (0, -90, 68, 0.5, -0.22, -0.2),
    (2, -88, 70, 0.48, 0.1, -0.16),
    (4, -80, 68, 0.5, 0.22, 0.1),
    (6, -92, 66, 0.52, -0.05, 0.2),
    (8, -90, 68, 0.5, -0.22, -0.2),
)
FAST = (
    (0, -90, 45, 0.6, 0, 0),
    (1.2, -78, 46, 0.58, 0, 0),
    (2, -62, 52, 0.55, 0.08, 0),
    (3, -105, 42, 0.66, -0.08, 0.06),
    (4, -72, 56, 0.5, 0.06, -0.06),
    (5, -120, 45, 0.6, 0, 0.06),
)
START = look_at(np.array([0.0, -0.45, 0.42]), np.zeros(3))


def _catalogue() -> dict[str, Sequence]:
    flat, boxes = Scene((), ()), Scene((), ())  # made by make(), from the seed
    return {
        "clean": Sequence(flat, through(ORBIT), 6.0),
        "loop": Sequence(flat, through(LOOP), 8.0, noise=2.0),
        "boxes": Sequence(boxes, through(ORBIT), 6.0, noise=3.0, light=0.8, hand=True, shutter=0.008),
        "fast": Sequence(flat, through(FAST, tremor=0.004), 5.0, noise=3.0, light=0.4, shutter=0.016),
        "bare": Sequence(flat, through(ORBIT), 6.0, noise=2.0),
        "rest": Sequence(boxes, through(ORBIT, rest=(2.5, 4.0)), 5.0, rest=(2.5, 4.0)),
        "covered": Sequence(boxes, through(ORBIT, tremor=0.003), 6.0, covered=(3.0, 3.6)),
        "tripod": Sequence(boxes, held(START), 2.0, hand=True),
        "turning": Sequence(boxes, turning(START, 12, 5, 3.0), 3.0),
        "rolled": Sequence(boxes, through(ORBIT, roll_deg=35), 4.0),
        "tumbled": Sequence(boxes, through(ORBIT), 4.0),  # rolled by what the seed says
        "fisheye": Sequence(boxes, through(ORBIT, tremor=0.003), 5.0, intrinsics=FISHEYE),
        "rolling_shutter": Sequence(boxes, through(ORBIT, tremor=0.003), 5.0, readout=0.02),
    }


CATALOGUE = tuple(_catalogue())
_BOXES = {
    "boxes": 3,
    "rest": 2,
    "covered": 3,
    "tripod": 2,
    "turning": 3,
    "rolled": 3,
    "tumbled": 3,
    "rolling_shutter": 3,
    "fisheye": 3,
}
_SHEETS = {"bare": 3}


def make(name: str, seed: int = 0, **changes: object) -> Sequence:
    """The named sequence with textures and noise of a seed; changes replace fields of Sequence (trajectory, seconds, ...).

    ValueError for an unknown name.
    """
    if name not in CATALOGUE:
        raise ValueError(f"no sequence is called {name!r}; there are {', '.join(CATALOGUE)}")
    scene = Scene.table(
        seed, sheets=_SHEETS.get(name, 9), boxes=_BOXES.get(name, 0), contrast=6 if name == "bare" else 10
    )
    if name == "tumbled":
        roll_deg, sway_deg = np.random.default_rng([seed, 1]).uniform((-60, 5), (60, 20))
        changes = {"trajectory": through(ORBIT, roll_deg=roll_deg, sway_deg=sway_deg), **changes}
    return replace(_catalogue()[name], scene=scene, seed=seed, **changes)  # type: ignore[arg-type]


def kidnapped(seed: int = 0, seconds: float = 3.0) -> Spliced:
    """A camera that is carried to another table after two and a half seconds, all at once, and back after so many more."""
    return Spliced(make("boxes", seed), make("covered", seed + 1000, covered=None), 2.5, seconds)
