"""The standard camera_info YAML (as ``camera_calibration_parsers`` reads and writes it)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ar_core.geometry import Intrinsics


def read_camera_info(path: Path) -> Intrinsics:
    """Intrinsics of a calibration file; ValueError that names the file and what is wrong with it."""
    try:
        data = yaml.safe_load(path.read_text())
        matrix = _matrix(data, "camera_matrix", 9)
        distortion = _matrix(data, "distortion_coefficients", None) if "distortion_coefficients" in data else []
        model = data.get("distortion_model", "plumb_bob")
        if model not in ("plumb_bob", "rational_polynomial"):
            raise ValueError(f"distortion model '{model}' is not supported (plumb_bob is)")
        fx, _, cx, _, fy, cy = matrix[:6]
        return Intrinsics(fx, fy, cx, cy, int(data["image_width"]), int(data["image_height"]), tuple(distortion))
    except OSError as error:
        raise ValueError(f"calibration {path}: {error.strerror}") from None
    except (yaml.YAMLError, TypeError, AttributeError, UnicodeDecodeError):
        raise ValueError(f"calibration {path}: not a camera_info YAML file") from None
    except KeyError as error:
        raise ValueError(f"calibration {path}: {error} is missing") from None
    except ValueError as error:
        raise ValueError(f"calibration {path}: {error}") from None


def write_camera_info(path: Path, intrinsics: Intrinsics, name: str = "camera") -> None:
    """Write a calibration file."""
    projection = np.column_stack([intrinsics.K, np.zeros(3)])
    distortion = list(intrinsics.distortion) or [0.0] * 5
    data = {
        "image_width": intrinsics.width,
        "image_height": intrinsics.height,
        "camera_name": name,
        "camera_matrix": _entry(intrinsics.K),
        "distortion_model": "plumb_bob" if len(distortion) <= 5 else "rational_polynomial",
        "distortion_coefficients": _entry(np.array([distortion])),
        "rectification_matrix": _entry(np.eye(3)),
        "projection_matrix": _entry(projection),
    }
    path.write_text(yaml.safe_dump(data, sort_keys=False))


def _entry(matrix: Any) -> dict[str, Any]:
    return {"rows": matrix.shape[0], "cols": matrix.shape[1], "data": [float(v) for v in matrix.ravel()]}


def _matrix(data: dict[str, Any], key: str, count: int | None) -> list[float]:
    values = [float(v) for v in data[key]["data"]]
    if count is not None and len(values) != count:
        raise ValueError(f"{key} has {len(values)} numbers, not {count}")
    return values
