"""Textured rectangles in space, and their picture: exact perspective, painted from back to front."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.geometry import Array, Intrinsics, inverse
from sequences.texture import Image, printed, surface, table_top

TABLE = 1.6  # metres


@dataclass(frozen=True)
class Quad:
    """A rectangle from corner, along u and v (metres), with its texture and the halved ones for a distance."""

    corner: Array
    u: Array
    v: Array
    textures: tuple[Image, ...]

    @property
    def normal(self) -> Array:
        """Out of the visible side (not of length 1)."""
        return np.cross(self.v, self.u)


def quad(
    corner: tuple[float, float, float], u: tuple[float, float, float], v: tuple[float, float, float], texture: Image
) -> Quad:
    """A rectangle; its texture's x runs along u, y along v."""
    textures = [texture]
    while min(textures[-1].shape[:2]) > 48:
        textures.append(cv2.pyrDown(textures[-1]))
    return Quad(np.array(corner, float), np.array(u, float), np.array(v, float), tuple(textures))


@dataclass(frozen=True)
class Scene:
    """ground (floor, table top), painted in this order; faces of boxes, sorted by distance."""

    ground: tuple[Quad, ...]
    faces: tuple[Quad, ...]

    @staticmethod
    def table(seed: int, sheets: int = 9, boxes: int = 0, contrast: float = 10.0) -> Scene:
        """A table, z = 0, of 1.6 m, 0.7 m over a floor; printed sheets and boxes on it."""
        rng = np.random.default_rng(seed)
        half = TABLE / 2
        floor = quad((-4, 4, -0.7), (8, 0, 0), (0, -8, 0), surface(rng, 1024, 1024, 12))
        top = quad((-half, half, 0), (TABLE, 0, 0), (0, -TABLE, 0), table_top(rng, 1536, sheets, contrast))
        faces: list[Quad] = []
        places = [(0.17, 0.12), (-0.2, 0.16), (-0.1, -0.2), (0.25, -0.15)]
        for x, y in places[:boxes]:
            w, d, h = rng.uniform(0.07, 0.15, 3)
            sides = [printed(rng, 256, 256) for _ in range(5)]
            x0, x1, y0, y1 = x - w / 2, x + w / 2, y - d / 2, y + d / 2
            faces += [
                quad((x0, y1, h), (w, 0, 0), (0, -d, 0), sides[0]),
                quad((x0, y0, h), (w, 0, 0), (0, 0, -h), sides[1]),
                quad((x1, y0, h), (0, d, 0), (0, 0, -h), sides[2]),
                quad((x1, y1, h), (-w, 0, 0), (0, 0, -h), sides[3]),
                quad((x0, y1, h), (0, -d, 0), (0, 0, -h), sides[4]),
            ]
        return Scene((floor, top), tuple(faces))


def render(scene: Scene, intrinsics: Intrinsics, T_map_camera: Array) -> Image:
    """The picture (H, W, 3) uint8 bgr of a camera; behind a lens that bends, of the pinhole camera that sees as much."""
    if intrinsics.bends:
        straight, maps = _through(intrinsics)
        return np.asarray(cv2.remap(render(scene, straight, T_map_camera), maps, None, cv2.INTER_CUBIC), np.uint8)
    picture = np.full((intrinsics.height, intrinsics.width, 3), (176, 168, 160), np.uint8)
    T = inverse(T_map_camera)
    centre = T_map_camera[:3, 3]
    facing = [f for f in scene.faces if f.normal @ (centre - f.corner) > 0]
    facing.sort(key=lambda f: -float(np.linalg.norm(f.corner + (f.u + f.v) / 2 - centre)))
    for q in (*scene.ground, *facing):
        if q.normal @ (centre - q.corner) > 0:
            _paint(picture, q, intrinsics.K, T[:3, :3], T[:3, 3])
    return picture


@cache
def _through(bent: Intrinsics) -> tuple[Intrinsics, NDArray[np.float32]]:
    """A pinhole camera that sees all that a bent lens shows, and where in its picture each pixel (H, W, 2) lies."""
    y, x = np.mgrid[: bent.height, : bent.width].reshape(2, -1)
    rays = bent.rays(np.column_stack([x, y]))[:, :2]
    f = max(bent.fx, bent.fy)
    corner, size = np.floor(f * rays.min(0)) - 3, np.ceil(f * np.ptp(rays, 0)).astype(int) + 6
    straight = Intrinsics(f, f, -float(corner[0]), -float(corner[1]), int(size[0]), int(size[1]))
    return straight, (f * rays - corner).astype(np.float32).reshape(bent.height, bent.width, 2)


def _paint(picture: Image, q: Quad, K: Array, R: Array, t: Array) -> None:
    h, w = picture.shape[:2]
    corners = np.array([q.corner, q.corner + q.u, q.corner + q.u + q.v, q.corner + q.v]) @ R.T + t
    if (corners[:, 2] < 0.02).all():
        return
    x0, y0, x1, y1 = 0, 0, w, h
    if (corners[:, 2] > 0.02).all():  # paint only where it is
        p = corners @ K.T
        p = p[:, :2] / p[:, 2:]
        (x0, y0), (x1, y1) = np.floor(p.min(0)).astype(int) - 1, np.ceil(p.max(0)).astype(int) + 2
        x0, y0, x1, y1 = max(0, x0), max(0, y0), min(w, x1), min(h, y1)
        if x0 >= x1 or y0 >= y1:
            return
    near = max(0.05, float(np.median(corners[:, 2])))
    texels = q.textures[0].shape[1] / float(np.linalg.norm(q.u)) * near / K[0, 0]
    texture = q.textures[int(np.clip(round(np.log2(max(texels, 1.0))), 0, len(q.textures) - 1))]
    th, tw = texture.shape[:2]
    to_picture = K @ np.column_stack([R @ q.u / tw, R @ q.v / th, R @ q.corner + t])
    to_picture = to_picture @ np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])  # texel centres
    to_picture = np.array([[1, 0, -x0], [0, 1, -y0], [0, 0, 1.0]]) @ to_picture
    size = (x1 - x0, y1 - y0)
    colour = cv2.warpPerspective(texture, to_picture, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.warpPerspective(np.full((th, tw), 255, np.uint8), to_picture, size, flags=cv2.INTER_NEAREST)
    if (corners[:, 2] < 0.02).any():  # the homography also maps what is behind the camera
        inverse_depth = np.linalg.inv(to_picture)[2]
        x, y = np.arange(size[0]), np.arange(size[1])[:, None]
        mask[inverse_depth[0] * x + inverse_depth[1] * y + inverse_depth[2] <= 0] = 0
    picture[y0:y1, x0:x1] = cv2.copyTo(colour, mask, picture[y0:y1, x0:x1].copy())
