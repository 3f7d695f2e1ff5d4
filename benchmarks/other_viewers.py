"""Do others play our .glb files as we do? Truth for three.js, and an import into Blender.

    python benchmarks/other_viewers.py truth FILE.glb…        # JSON for benchmarks/three_plays.mjs
    BLENDER_PYTHON benchmarks/other_viewers.py blender FILE.glb…   # a Python that has `bpy` (pip install bpy)

For Blender: one line per file; exit code 1 when an action is missing, or nothing moves.
"""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path
from typing import Any

MOMENTS, VERTICES = 7, 40


def truth(files: list[str]) -> None:
    """Where vertices are at moments of every clip, by our own reader."""
    import numpy as np

    from ar_render.gltf import read_glb
    from ar_render.proxy import skin_vertices

    out: list[dict[str, Any]] = []
    for file in files:
        model = read_glb(Path(file).read_bytes(), file)
        moments = []
        for name, clip in model.clips.items():
            points = []
            for time in np.linspace(0, clip.duration, MOMENTS):
                skin = model.skin(model.global_matrices(clip.sample(model.rest, float(time))))
                vertices = []
                for i, p in enumerate(model.primitives):
                    at = np.linspace(0, len(p.positions) - 1, VERTICES).astype(int)
                    where = skin_vertices(p.positions[at], p.joints[at], p.weights[at], skin)
                    vertices += [[i, int(k), *map(float, v)] for k, v in zip(at, where, strict=True)]
                points.append({"time": float(time), "vertices": vertices})
            moments.append({"clip": name, "points": points})
        out.append({"file": file, "moments": moments})
    json.dump(out, sys.stdout)


def blender(files: list[str]) -> int:
    """Import each file into an empty scene: every clip is an action that moves the armature's bones."""
    import bpy  # type: ignore[import-not-found]

    bad = 0
    for file in files:
        data = Path(file).read_bytes()
        document = json.loads(data[20 : 20 + struct.unpack_from("<I", data, 12)[0]])
        wanted = {a["name"] for a in document["animations"]}
        bpy.ops.wm.read_factory_settings(use_empty=True)
        bpy.ops.import_scene.gltf(filepath=str(Path(file).resolve()))
        got = {action.name for action in bpy.data.actions}
        missing = {name for name in wanted if not any(n == name or n.startswith(f"{name}_") for n in got)}
        still = [a.name for a in bpy.data.actions if not any(_moves(curve) for curve in a.fcurves)]
        meshes, rigs = (sum(o.type == kind for o in bpy.data.objects) for kind in ("MESH", "ARMATURE"))
        pictures = [image for image in bpy.data.images if image.size[0] > 1]
        problems = [f"missing: {', '.join(sorted(missing))}"] if missing else []
        problems += [f"still: {', '.join(still)}"] if still else []
        problems += [] if meshes and rigs else ["no mesh or no armature"]
        bad += bool(problems)
        print(
            f"{file}: {len(wanted)} clips, {len(got)} actions, {meshes} meshes, {rigs} armature(s), "
            f"{len(pictures)} pictures {'; '.join(problems)}"
        )
    print(f"Blender {bpy.app.version_string}: {len(files)} files, {bad} with problems")
    return 1 if bad else 0


def _moves(curve: Any) -> bool:
    values = [key.co[1] for key in curve.keyframe_points]
    return max(values) - min(values) > 1e-6


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in ("truth", "blender"):
        sys.exit(__doc__)
    sys.exit(truth(sys.argv[2:]) if sys.argv[1] == "truth" else blender(sys.argv[2:]))
