"""Maps as files: a map that comes back after its process died, and point clouds for other programs."""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_core.geometry import Array
from ar_slam.flow import Pixels
from ar_slam.keyframes import MAPPED, Map
from ar_slam.pose import Mask
from ar_slam.results import CAMERA_HEIGHT
from ar_slam.surfaces import Surface

FORMAT = 3
READABLE = (2, 3)  # those before had no surfaces
JPEG_QUALITY = 90


@dataclass(frozen=True)
class SavedMap:
    """A map at rest, independent of the one that goes on growing.

    K (3, 3) and size (width, height) of the undistorted pictures; X (n, 3), flat (n,); pictures: of the keyframes, arrays
    (H, W) uint8 or their JPEG as (bytes,) uint8; R (k, 3, 3), t (k, 3); ids and uv of keyframe i are the slices
    starts[i]:starts[i + 1]. surfaces: the planes beside z = 0.
    """

    map_id: int
    plane_assumed: bool
    camera_height: float
    scale_source: str
    K: Array
    size: tuple[int, int]
    X: Array
    flat: Mask
    pictures: list[NDArray[np.uint8]]
    R: Array
    t: Array
    starts: NDArray[np.int_]
    ids: NDArray[np.int_]
    uv: Pixels
    surfaces: tuple[Surface, ...] = ()

    def check_camera(self, K: Array, size: tuple[int, int]) -> None:
        """ValueError where it was made by a camera of another size (width, height) or focal length than K (3, 3) has."""
        if self.size != size or abs(self.K[0, 0] / K[0, 0] - 1) > 0.02 or abs(self.K[1, 1] / K[1, 1] - 1) > 0.02:
            raise ValueError(
                f"the map was made with a camera of {self.size[0]}x{self.size[1]}, focal length {self.K[0, 0]:.0f};"
                f" this one has {size[0]}x{size[1]}, {K[0, 0]:.0f}"
            )


def saved(
    m: Map,
    map_id: int,
    plane_assumed: bool,
    camera_height: float,
    scale_source: str,
    K: Array,
    size: tuple[int, int],
) -> SavedMap:
    """Copy what is worth keeping of a map: mapped points, and the keyframes that see them. Quick: pictures are shared."""
    mapped = m.status == MAPPED
    new_id = np.cumsum(mapped) - 1
    seen = [mapped[kf.ids] for kf in m.keyframes]
    ids = [new_id[kf.ids[s]] for kf, s in zip(m.keyframes, seen, strict=True)]
    return SavedMap(
        map_id,
        plane_assumed,
        camera_height,
        scale_source,
        K,
        size,
        m.X[mapped],
        m.flat[mapped],
        [kf.image for kf in m.keyframes],
        np.array([kf.R for kf in m.keyframes]).reshape(-1, 3, 3),
        np.array([kf.t for kf in m.keyframes]).reshape(-1, 3),
        np.cumsum([0, *(len(i) for i in ids)]),
        np.concatenate([np.zeros(0, int), *ids]),
        np.vstack([np.zeros((0, 2), np.float32), *(kf.uv[s] for kf, s in zip(m.keyframes, seen, strict=True))]),
        m.surfaces,
    )


def restored(s: SavedMap) -> Map:
    """The map that was saved."""
    m = Map()
    m.add_points(np.zeros((len(s.X), 2), np.float32), -1, s.X.copy(), s.flat.copy())
    for i, picture in enumerate(s.pictures):
        part = slice(s.starts[i], s.starts[i + 1])
        m.add_keyframe(picture, s.R[i], s.t[i], s.ids[part], s.uv[part])
    m.surfaces = s.surfaces
    return m


def write_map(path: Path, s: SavedMap) -> None:
    """Write a map file, all or nothing (a new file takes the old one's place); OSError where that is not possible.

    An ``.npz`` with one JPEG per picture: a map of many needs no more memory while it is written.
    """
    meta = {
        "format": FORMAT,
        "map_id": s.map_id,
        "plane_assumed": s.plane_assumed,
        "camera_height": s.camera_height,
        "scale_source": s.scale_source,
    }
    arrays: dict[str, NDArray[Any]] = {
        "meta": np.frombuffer(json.dumps(meta).encode(), np.uint8),
        "K": s.K,
        "size": np.array(s.size),
        "X": s.X,
        "flat": s.flat,
        "R": s.R,
        "t": s.t,
        "starts": s.starts,
        "ids": s.ids.astype(np.int32),
        "uv": s.uv.astype(np.float32),
        "surfaces": np.array([[f.id, *f.normal, f.distance, f.deviation, f.tilt] for f in s.surfaces]).reshape(-1, 7),
        "outlines": np.vstack([np.zeros((0, 3)), *(f.outline for f in s.surfaces)]),
        "corners": np.array([len(f.outline) for f in s.surfaces], np.int64),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=path.name + ".", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w") as archive:
            for key, array in arrays.items():
                _add(archive, key, array)
            for i, picture in enumerate(s.pictures):
                jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
                _add(archive, f"jpeg{i}", jpeg.ravel())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _add(archive: zipfile.ZipFile, name: str, array: NDArray[Any]) -> None:
    with archive.open(f"{name}.npy", "w") as entry:
        np.lib.format.write_array(entry, array, allow_pickle=False)


def read_map(path: Path) -> SavedMap:
    """Read a map file; ValueError, in words, for one that is not whole, OSError for one that cannot be read."""
    try:
        with np.load(path, allow_pickle=False) as z:
            a = {name: z[name] for name in z.files}
        meta = json.loads(a["meta"].tobytes())
        if meta["format"] not in READABLE:
            known = " and ".join(map(str, READABLE))
            raise ValueError(f"{path}: map format {meta['format']}; this version reads {known}. Map the place anew")
        if meta["format"] == 2:
            a.update(surfaces=np.zeros((0, 7)), outlines=np.zeros((0, 3)), corners=np.zeros(0, int))
        pictures: list[Any] = [cv2.imdecode(a[f"jpeg{i}"], cv2.IMREAD_GRAYSCALE) for i in range(len(a["R"]))]
        size = (int(a["size"][0]), int(a["size"][1]))
        whole = (
            len(pictures) == len(a["R"]) == len(a["t"]) == len(a["starts"]) - 1
            and all(p is not None and p.shape == size[::-1] for p in pictures)
            and len(a["ids"]) == len(a["uv"]) == a["starts"][-1]
            and (len(a["ids"]) == 0 or 0 <= int(a["ids"].min()) <= int(a["ids"].max()) < len(a["X"]))
            and all(np.isfinite(a[k]).all() for k in ("K", "X", "R", "t", "uv", "surfaces", "outlines"))
            and a["surfaces"].shape == (len(a["corners"]), 7)
            and a["outlines"].shape[1:] == (3,)
            and a["corners"].sum() == len(a["outlines"])
            and (a["corners"] >= 3).all()
        )
    except OSError:
        raise
    except (KeyError, ValueError, TypeError, IndexError, EOFError, zipfile.BadZipFile, cv2.error) as error:
        if "map format" in str(error):
            raise
        raise ValueError(f"{path}: not a map of this program, or a damaged one ({error})") from None
    if not whole:
        raise ValueError(f"{path}: the map's parts do not fit together; the file is damaged")
    return SavedMap(
        int(meta["map_id"]),
        bool(meta["plane_assumed"]),
        float(meta["camera_height"]),
        str(meta.get("scale_source", CAMERA_HEIGHT)),  # older maps do not say
        a["K"],
        size,
        a["X"],
        a["flat"],
        pictures,
        a["R"],
        a["t"],
        a["starts"],
        a["ids"].astype(int),
        a["uv"],
        tuple(
            Surface(int(row[0]), row[1:4], float(row[4]), outline, float(row[5]), float(row[6]))
            for row, outline in zip(a["surfaces"], np.split(a["outlines"], np.cumsum(a["corners"])[:-1]), strict=False)
        ),
    )


def write_point_cloud(path: Path, X: Array, flat: Mask, voxel: float = 0.002) -> int:
    """Write the points (n, 3) as a cloud (.ply, .pcd, .xyz: by the name), cleaned of strays; returns how many remain.

    Points on the plane are green. Open3D does the work: it costs a second and 90 MB when first used, and is imported only
    here. ValueError where it is missing.
    """
    try:
        import open3d
    except (ImportError, OSError) as error:
        raise ValueError(f"a point cloud needs Open3D, which is missing ({error}): pip install open3d-cpu") from None
    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(X))
    colours = np.where(flat[:, None], np.array([0.2, 0.7, 0.3]), np.array([0.7, 0.7, 0.7]))
    cloud.colors = open3d.utility.Vector3dVector(colours)
    cloud = cloud.voxel_down_sample(voxel)
    if len(cloud.points) > 20:
        cloud, _ = cloud.remove_statistical_outlier(nb_neighbors=12, std_ratio=2.5)
    path.parent.mkdir(parents=True, exist_ok=True)
    if not open3d.io.write_point_cloud(path, cloud):
        raise OSError(f"{path}: the point cloud could not be written")
    return len(cloud.points)
