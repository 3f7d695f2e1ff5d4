"""Principled materials from drawn pictures. One function per kind; every map is an image node on UV."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]


def image(name: str, picture: Picture, linear: bool = False) -> bpy.types.Image:
    """A packed 8-bit Blender image of ``(H, W)`` or ``(H, W, 3)`` values in 0..1 (sRGB unless ``linear``)."""
    rgb = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, -1)
    height, width = rgb.shape[:2]
    made = bpy.data.images.new(name, width, height, alpha=False)
    if linear:
        made.colorspace_settings.name = "Non-Color"
    rgba = np.ones((height, width, 4), np.float32)
    rgba[..., :3] = np.clip(rgb[::-1], 0, 1)
    made.pixels.foreach_set(rgba.ravel())
    made.pack()
    return made


def srgb(colour: tuple[float, float, float]) -> tuple[float, float, float, float]:
    """Linear RGBA of an sRGB colour."""
    c = np.asarray(colour, float)
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return (float(linear[0]), float(linear[1]), float(linear[2]), 1.0)


def principled(
    name: str,
    colour: tuple[float, float, float] | Picture | str = (0.5, 0.5, 0.5),
    rough: float | Picture = 0.5,
    bump: Picture | None = None,
    bump_m: float = 0.0003,
    noise_bump: tuple[float, float] | None = None,
    noise_rough: float = 0.0,
    tiles: float = 1.0,
    **inputs: Any,
) -> bpy.types.Material:
    """A Principled BSDF. ``colour``: sRGB triple, a picture, or the name of a vertex colour attribute.

    ``bump``/``bump_m``: height picture and its full range in metres; ``noise_bump``: (scale per metre, metres) of
    procedural unevenness; ``noise_rough``: how far smudges move the roughness; ``tiles``: picture repeats per UV unit;
    ``inputs``: further Principled sockets, e.g. ``Metallic=1.0`` (underscores stand for spaces).
    """
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    shader = nodes["Principled BSDF"]
    vector = None
    if tiles != 1.0:
        mapping = nodes.new("ShaderNodeMapping")
        mapping.inputs["Scale"].default_value = (tiles, tiles, tiles)
        links.new(nodes.new("ShaderNodeUVMap").outputs["UV"], mapping.inputs["Vector"])
        vector = mapping.outputs["Vector"]

    def picture_node(label: str, picture: Picture, linear: bool) -> Any:
        node = nodes.new("ShaderNodeTexImage")
        node.image = image(f"{name}.{label}", picture, linear)
        if vector is not None:
            links.new(vector, node.inputs["Vector"])
        return node.outputs["Color"]

    if isinstance(colour, str):
        attribute = nodes.new("ShaderNodeVertexColor")
        attribute.layer_name = colour
        links.new(attribute.outputs["Color"], shader.inputs["Base Color"])
    elif isinstance(colour, np.ndarray):
        links.new(picture_node("colour", colour, False), shader.inputs["Base Color"])
    else:
        shader.inputs["Base Color"].default_value = srgb(colour)
    if isinstance(rough, np.ndarray):
        links.new(picture_node("rough", rough, True), shader.inputs["Roughness"])
    else:
        shader.inputs["Roughness"].default_value = rough
        if noise_rough:
            smudge = _noise(nodes, links, 60.0, 4.0)
            scale = nodes.new("ShaderNodeMapRange")
            scale.inputs["From Min"].default_value, scale.inputs["From Max"].default_value = 0.3, 0.7
            scale.inputs["To Min"].default_value = max(0.02, rough - noise_rough)
            scale.inputs["To Max"].default_value = rough + noise_rough
            links.new(smudge, scale.inputs["Value"])
            links.new(scale.outputs["Result"], shader.inputs["Roughness"])
    normal = None
    heights = []
    if bump is not None:
        heights.append((picture_node("bump", bump, True), bump_m))
    if noise_bump is not None:
        heights.append((_noise(nodes, links, noise_bump[0], 3.0), noise_bump[1]))
    for socket, metres in heights:
        node = nodes.new("ShaderNodeBump")
        node.inputs["Distance"].default_value = metres
        links.new(socket, node.inputs["Height"])
        if normal is not None:
            links.new(normal, node.inputs["Normal"])
        normal = node.outputs["Normal"]
    if normal is not None:
        links.new(normal, shader.inputs["Normal"])
    for key, value in inputs.items():
        shader.inputs[key.replace("_", " ")].default_value = value
    return material


def _noise(nodes: Any, links: Any, scale: float, detail: float) -> Any:
    where = nodes.new("ShaderNodeTexCoord")
    noise = nodes.new("ShaderNodeTexNoise")
    noise.inputs["Scale"].default_value = scale
    noise.inputs["Detail"].default_value = detail
    links.new(where.outputs["Object"], noise.inputs["Vector"])
    return noise.outputs["Fac"]


def put(thing: bpy.types.Object, material: bpy.types.Material) -> bpy.types.Object:
    """Cover a thing with a material; returns the thing."""
    thing.data.materials.clear()
    thing.data.materials.append(material)
    return thing
