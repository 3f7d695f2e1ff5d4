"""From the cut-out of an object to a living character: the one call that the rest of the world needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ar_character.clips import Clip, all_clips
from ar_character.dressing import Dressing
from ar_character.face import LID_TRAVEL, LOWER_TRAVEL, build_face
from ar_character.gltf import Animation, write_glb
from ar_character.ground import Skinned, outermost
from ar_character.inflate import Sheet, Shell, inflate
from ar_character.limbs import build_limbs
from ar_character.mesh import Array, Part
from ar_character.motion import Motion, Tracks, channels, solve
from ar_character.palette import Palette
from ar_character.rig import Rig, build_rig
from ar_character.skeleton import Layout, Surface, plan
from ar_character.texture import Atlas, grey_on_raster, paint
from ar_character.theme import Theme
from ar_character.weights import heat_weights

SMALLEST, LARGEST = 0.001, 100.0  # metres
SUNK = 0.0015  # of the object's height: less is not seen


@dataclass(frozen=True)
class Character:
    """glb: a complete animated .glb (metres, y up, looks to +z, origin on the ground between the feet).

    height: metres with legs; object_height: the object alone; clips: names; strides: metres per cycle of the clips that
    travel; holes: of the body; triangles: of everything.
    """

    glb: bytes
    height: float
    object_height: float
    clips: tuple[str, ...]
    strides: dict[str, float]
    holes: int
    triangles: int


def build_character(
    rgba: NDArray[np.uint8],
    object_height_m: float,
    top_share: float = 0.0,
    palette: Palette | None = None,
    clips: Sequence[Clip] | None = None,
    theme: Theme | None = None,
) -> Character:
    """Give an object body, limbs, face and motion.

    rgba: (H, W, 4) uint8, RGB order, straight alpha. object_height_m: how high the object is, without legs; it keeps
    that size and is lifted by its legs. top_share: the part (0..0.6) of the cut-out's height that shows the object's
    top side, because it was seen from above: no place for a face (`placement.place` knows it). theme: what it wears and
    does beyond that (`theme.load`). The same input gives the same bytes. Raises ValueError for input that has no shape, no
    colour or no size.
    """
    _check(rgba, object_height_m)
    outline, sheet, shell = inflate(np.ascontiguousarray(rgba[..., 3]))
    grey = grey_on_raster(rgba, outline)
    layout = plan(outline, shell, float(object_height_m), float(np.clip(top_share, 0, 0.6)), grey)
    rig = build_rig(layout)
    atlas = paint(rgba, outline, layout.frame.raster(layout.eyes), layout.eye_radius / layout.frame.scale, palette)
    parts = [
        build_body(sheet, shell, layout, atlas),
        *build_limbs(layout, rig, atlas),
        *build_face(layout, rig, atlas, Surface(shell)),
    ]
    ground = outermost([part for part in parts if not _rides(part)])
    clips = all_clips() if clips is None else tuple(clips)
    dressing = Dressing(theme, layout, rig, shell, outline.field) if theme is not None else None
    if dressing is not None:
        clips, rig = dressing.clips(clips), dressing.rig
        parts += dressing.parts
    solved = zip(clips, _solved(clips, layout, rig, ground), strict=True)
    animations = [Animation(c.name, c.motion.time, dressing.animate(c, t) if dressing else t) for c, t in solved]
    strides = {c.name: c.stride * layout.leg for c in clips if c.stride > 0}
    height = layout.lift + layout.object_height
    extras = {
        "height_m": round(height, 6),
        "object_height_m": round(layout.object_height, 6),
        "clips": {
            c.name: {
                "loop": c.loop,
                "duration_s": round(float(c.motion.time[-1]), 6),
                "stride_m": round(strides.get(c.name, 0.0), 6),
                **({"pastime": True} if dressing and c.name in dressing.pastimes() else {}),
            }
            for c in clips
        },
        "live": {
            "gaze": ["pupil_L", "pupil_R"],
            "lids": ["lid_L", "lid_R"],
            "lid_travel_rad": round(LID_TRAVEL, 6),
            "lower_lids": ["lower_lid_L", "lower_lid_R"],
            "lower_lid_travel_rad": round(LOWER_TRAVEL, 6),
            "mouth": [name for name in rig.names if name == "mouth"],
            "head": "head",
            "springs": ["spine1", "spine2", "head", "arm_L_1", "arm_L_2", "arm_R_1", "arm_R_2", "hand_L", "hand_R"],
        },
    }
    if dressing is not None:
        extras |= dressing.extras()
    glb = write_glb(parts, rig, animations, atlas.jpeg(), extras, dressing.materials if dressing else None)
    triangles = sum(len(part.faces) for part in parts)
    names = tuple(c.name for c in clips)
    return Character(glb, height, layout.object_height, names, strides, outline.holes, triangles)


def _rides(part: Part) -> bool:
    """Whether a part is of the face or of a leg that was added: these do not sink in."""
    face = ("eye_", "pupil_", "lid_", "lower_lid_", "brow_", "mouth")
    return all(joint.startswith((*face, "leg_", "foot_")) for joint in part.influences)


def _solved(clips: Sequence[Clip], layout: Layout, rig: Rig, ground: Skinned) -> list[Tracks]:
    """The channels of clips; what would sink into the ground is held higher."""
    motion = Motion.joined([c.motion for c in clips])
    tracks = solve(motion, layout, rig)
    sunk = ground.sunk(tracks, rig, len(motion.time))
    if sunk.most > SUNK * layout.object_height:
        tracks = solve(motion, layout, rig, sunk)
    return channels(tracks, rig, [len(c.motion.time) for c in clips])


def build_body(sheet: Sheet, shell: Shell, layout: Layout, atlas: Atlas) -> Part:
    """The object itself: front and back wear their own part of the atlas, split along the rim."""
    raster = shell.vertices[:, :2]
    back_faces = shell.back[shell.faces].all(1)
    seam = np.unique(shell.faces[~back_faces][shell.back[shell.faces[~back_faces]]])
    copy = np.full(len(raster), -1)
    copy[seam] = len(raster) + np.arange(len(seam))
    faces = shell.faces.copy()
    side = faces[~back_faces]
    faces[~back_faces] = np.where(shell.back[side], copy[side], side)  # the rim's strip wears the front's colours
    take = np.concatenate([np.arange(len(raster)), seam])
    uv = np.where(shell.back[:, None], atlas.back_uv(raster), atlas.front_uv(raster))
    uv = np.concatenate([uv, atlas.front_uv(raster[seam])])

    joints = layout.frame.raster(layout.spine)
    top = np.array([[joints[3, 0], float(shell.vertices[:, 1].min())]])
    chain = np.concatenate([joints, top])
    influences = {name: w[shell.sheet_vertex][take] for name, w in _influences(sheet, chain, layout).items()}
    return Part(layout.frame.points(shell.vertices)[take], _flip(shell.normals)[take], uv, faces, influences)


def _influences(sheet: Sheet, chain: Array, layout: Layout) -> dict[str, Array]:
    """Joint -> weight (n,) of the sheet's points: heat from the spine, chain (5, 2), and from limbs of the object's own."""
    names = ["hips", "spine1", "spine2", "head"]
    bones = [np.stack([chain[:-1], chain[1:]], 1)]
    at = np.round(sheet.points).astype(int)
    owner = np.full(len(at), -1)
    limbs = [(limb, "leg", "foot") for limb in layout.own_legs] + [(limb, "arm", "hand") for limb in layout.own_arms]
    for number, (limb, kind, end) in enumerate(limbs):
        side = "LR"[limb.side]
        names += [f"{kind}_{side}_1", f"{kind}_{side}_2", f"{end}_{side}"]
        bones.append(np.stack([limb.line[:-1], limb.line[1:]], 1))
        height, width = limb.mask.shape
        owner[limb.mask[np.clip(at[:, 1], 0, height - 1), np.clip(at[:, 0], 0, width - 1)]] = number
    of_bone = np.repeat(np.arange(-1, len(limbs)), [4] + [3] * len(limbs))
    weights = heat_weights(sheet, np.concatenate(bones), owner[:, None] == of_bone)
    out: dict[str, Array] = {}
    for name, weight in zip(names, weights.T, strict=True):
        out[name] = out.get(name, 0) + weight
    return out


def _flip(raster_normals: Array) -> Array:
    return raster_normals * [1.0, -1.0, 1.0]


def _check(rgba: NDArray[np.uint8], object_height_m: float) -> None:
    if not isinstance(rgba, np.ndarray) or rgba.ndim != 3 or rgba.shape[2] != 4 or rgba.dtype != np.uint8:
        found = f"{rgba.dtype} {rgba.shape}" if isinstance(rgba, np.ndarray) else type(rgba).__name__
        raise ValueError(f"cut-out: expected (H, W, 4) uint8 RGBA, got {found}")
    if min(rgba.shape[:2]) < 1 or rgba.shape[0] * rgba.shape[1] > 64_000_000:
        raise ValueError(f"cut-out: {rgba.shape[1]}x{rgba.shape[0]} px is not a size for a cut-out")
    if not (np.isfinite(object_height_m) and SMALLEST <= object_height_m <= LARGEST):
        raise ValueError(f"object height {object_height_m} m is not between {SMALLEST} and {LARGEST} m")
