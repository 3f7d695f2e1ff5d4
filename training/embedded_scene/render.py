"""Renders the clip frame by frame with Cycles: ``python -m training.embedded_scene.render --help``.

Frames that are already in the output folder are skipped, so a run can be stopped and started at will.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import bpy
import numpy as np
import yaml

from . import scene
from .camera_path import hand_held

TRUTH_SCALE = 3


def beauty_settings(samples: int, threads: int) -> None:
    """Path tracing to an 8-bit picture as a camera would develop it."""
    s = bpy.context.scene
    _common(s, threads)
    s.cycles.samples = samples
    s.cycles.use_adaptive_sampling = True
    s.cycles.adaptive_threshold = 0.03
    s.cycles.use_denoising = True
    s.cycles.denoiser = "OPENIMAGEDENOISE"
    s.cycles.denoising_input_passes = "RGB_ALBEDO_NORMAL"
    s.cycles.denoising_prefilter = "FAST"
    s.cycles.max_bounces = 4
    s.cycles.diffuse_bounces = 2
    s.cycles.glossy_bounces = 2
    s.cycles.transmission_bounces = 2
    s.cycles.caustics_reflective = s.cycles.caustics_refractive = False
    s.cycles.sample_clamp_indirect = 4.0
    s.cycles.use_light_tree = False
    s.render.use_motion_blur = True
    s.render.motion_blur_shutter = scene.SHUTTER
    s.render.motion_blur_position = "CENTER"
    s.view_settings.view_transform = "AgX"
    s.view_settings.look = "AgX - High Contrast"
    s.view_settings.exposure = 0.50
    s.render.image_settings.file_format = "PNG"
    s.render.image_settings.color_mode = "RGB"
    s.render.image_settings.compression = 40


def truth_settings(threads: int) -> None:
    """One exact ray per sub-pixel through everything's label (red) and z depth in metres (green), as float EXR."""
    s = bpy.context.scene
    _common(s, threads)
    s.cycles.samples = 1
    s.cycles.use_adaptive_sampling = False
    s.cycles.use_denoising = False
    s.cycles.max_bounces = 0
    s.cycles.pixel_filter_type = "GAUSSIAN"
    s.cycles.filter_width = 0.01
    s.render.use_motion_blur = False
    s.camera.data.dof.use_dof = False
    s.render.resolution_x, s.render.resolution_y = TRUTH_SCALE * scene.WIDTH, TRUTH_SCALE * scene.HEIGHT
    s.view_settings.view_transform = "Raw"
    s.view_settings.look = "None"
    s.render.image_settings.file_format = "OPEN_EXR"
    s.render.image_settings.color_mode = "RGB"
    s.render.image_settings.color_depth = "32"
    s.render.image_settings.exr_codec = "ZIP"
    s.render.dither_intensity = 0
    material = bpy.data.materials.new("truth")
    material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    nodes.clear()
    both = nodes.new("ShaderNodeCombineColor")
    emission = nodes.new("ShaderNodeEmission")
    links.new(nodes.new("ShaderNodeObjectInfo").outputs["Object Index"], both.inputs["Red"])
    links.new(nodes.new("ShaderNodeCameraData").outputs["View Z Depth"], both.inputs["Green"])
    links.new(both.outputs["Color"], emission.inputs["Color"])
    links.new(emission.outputs["Emission"], nodes.new("ShaderNodeOutputMaterial").inputs["Surface"])
    for thing in bpy.data.objects:
        if thing.type == "MESH":
            thing.data.materials.clear()
            thing.data.materials.append(material)
        elif thing.type == "LIGHT":
            thing.hide_render = True
    s.world.node_tree.nodes["Background"].inputs["Strength"].default_value = 0.0


def _common(s: bpy.types.Scene, threads: int) -> None:
    s.render.engine = "CYCLES"
    s.cycles.device = "CPU"
    s.render.resolution_x, s.render.resolution_y, s.render.resolution_percentage = scene.WIDTH, scene.HEIGHT, 100
    s.render.fps = scene.FPS
    s.render.threads_mode, s.render.threads = "FIXED", threads
    s.render.use_persistent_data = True
    s.render.use_compositing = s.render.use_sequencer = False


def render(frames: list[int], folder: Path, suffix: str, noise: int = 0) -> None:
    """Render the frames that are missing in ``folder``; a file appears only when it is whole."""
    s = bpy.context.scene
    folder.mkdir(parents=True, exist_ok=True)
    for frame in frames:
        path = folder / f"{frame:04d}{suffix}"
        if path.exists():
            continue
        started = time.time()
        s.frame_set(frame)
        s.cycles.seed = frame + 100_000 * noise
        part = folder / f"part-{frame:04d}{suffix}"
        s.render.filepath = str(part)
        bpy.ops.render.render(write_still=True)
        part.rename(path)
        print(f"{path} {time.time() - started:.1f} s", flush=True)


def frame_list(text: str) -> list[int]:
    """``"0:390"``, ``"0:390:30"`` or ``"3,7,9"``."""
    if ":" in text:
        return list(range(*(int(part) for part in text.split(":"))))
    return [int(part) for part in text.split(",")]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("rgb", "truth", "plates"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--frames", type=frame_list, default=None, help="0:390, 0:390:30 or 3,7,9; default all")
    parser.add_argument("--seed", type=int, default=0, help="0: the shipped clip; else another table and another hand")
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument(
        "--again", type=int, default=0, help="another set of samples, into rgb1, rgb2, ...; averaged by pack"
    )
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    path = hand_held(options.seed)
    count = round(path.period * scene.FPS)
    frames = options.frames if options.frames is not None else list(range(count))
    frames = sorted({path.source_frame(i, scene.FPS) for i in frames})
    labelled = scene.build(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "objects.yaml").write_text(yaml.safe_dump(scene.describe(labelled), sort_keys=False))
    scene.animate(np.stack([path.pose(i / scene.FPS) for i in range(count)]))
    if options.what == "truth":
        truth_settings(options.threads)
        render(frames, options.out / "truth", ".exr")
        return
    beauty_settings(options.samples, options.threads)
    if options.what == "plates":
        for part in labelled[scene.PROMINENT].children_recursive:
            part.hide_render = True
    folder = options.what + (str(options.again) if options.again else "")
    render(frames, options.out / folder, ".png", options.again)


if __name__ == "__main__":
    main()
