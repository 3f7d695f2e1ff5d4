"""A character that was not made of the object: an adopted .glb (``tsukumo awaken artist.glb``) that takes its place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ar_core.glb import chunks, container

_LENGTHS = ("height_m", "object_height_m")


@dataclass(frozen=True)
class Guest:
    """A .glb that hangs on one node, by which it can be made larger or smaller: document and blob, height in metres."""

    document: dict[str, Any]
    blob: bytes
    height: float
    clips: tuple[str, ...]

    def sized(self, height: float) -> bytes:
        """The .glb at another height, metres."""
        k = height / self.height
        scene = self.document["scenes"][0]
        index = scene["nodes"][0]
        nodes = list(self.document["nodes"])
        nodes[index] = {**nodes[index], **{key: [k * v for v in nodes[index][key]] for key in ("scale", "translation")}}
        extras = dict(scene["extras"])
        extras |= {key: round(k * extras[key], 6) for key in _LENGTHS}
        extras["clips"] = {n: {**c, "stride_m": round(k * c["stride_m"], 6)} for n, c in extras["clips"].items()}
        scenes = [{**scene, "extras": extras}]
        return container({**self.document, "nodes": nodes, "scenes": scenes}, self.blob)


def load_guest(path: Path) -> Guest:
    """The character of an adopted file; ValueError or OSError when it is none."""
    try:
        document, blob = chunks(path.read_bytes())
        extras = document["scenes"][0]["extras"]
        if not extras["adopted"]:
            raise KeyError("adopted")
        guest = Guest(document, blob, float(extras["height_m"]), tuple(extras["clips"]))
        if not 0 < guest.height < float("inf"):
            raise KeyError("height_m")
        guest.sized(guest.height)  # whatever is missing is missed now, and not by whoever awakens
        return guest
    except (AttributeError, KeyError, IndexError, TypeError):
        raise ValueError(f"{path}: not adopted yet; run: tsukumo awaken {path} -o adopted.glb") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
