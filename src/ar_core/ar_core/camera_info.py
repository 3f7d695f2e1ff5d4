"""The standard camera_info YAML (as ``camera_calibration_parsers`` reads and writes it)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ar_core.geometry import Intrinsics
from ar_core.lens import COUNTS


def read_camera_info(path: Path) -> Intrinsics:
    """Intrinsics of a calibration file; ValueError that names the file and what is wrong with it."""
    try:
        data = yaml.safe_load(path.read_text())
        matrix = _matrix(data, "camera_matrix")
        if len(matrix) != 9:
            raise ValueError(f"camera_matrix has {len(matrix)} numbers, not 9")
        bent = _matrix(data, "distortion_coefficients") if "distortion_coefficients" in data else []
        model = str(data.get("distortion_model", ""))
        return Intrinsics.of_model(model, matrix, bent, int(data["image_width"]), int(data["image_height"]))
    except OSError as error:
        raise ValueError(f"calibration {path}: {error.strerror}") from None
    except (yaml.YAMLError, TypeError, AttributeError, UnicodeDecodeError):
        raise ValueError(f"calibration {path}: not a camera_info file, there is no camera_info YAML in it") from None
    except KeyError as error:
        raise ValueError(f"calibration {path}: {error} is missing, so it is no camera_info YAML") from None
    except ValueError as error:
        raise ValueError(f"calibration {path}: {error}") from None


def write_camera_info(path: Path, intrinsics: Intrinsics, name: str = "camera") -> None:
    """Write a calibration file."""
    projection = np.column_stack([intrinsics.K, np.zeros(3)])
    distortion = list(intrinsics.distortion) or [0.0] * COUNTS[intrinsics.model]
    data = {
        "image_width": intrinsics.width,
        "image_height": intrinsics.height,
        "camera_name": name,
        "camera_matrix": _entry(intrinsics.K),
        "distortion_model": intrinsics.model,
        "distortion_coefficients": _entry(np.array([distortion])),
        "rectification_matrix": _entry(np.eye(3)),
        "projection_matrix": _entry(projection),
    }
    path.write_text(yaml.safe_dump(data, sort_keys=False))


def _entry(matrix: Any) -> dict[str, Any]:
    return {"rows": matrix.shape[0], "cols": matrix.shape[1], "data": [float(v) for v in matrix.ravel()]}


def _matrix(data: dict[str, Any], key: str) -> list[float]:
    return [float(v) for v in data[key]["data"]]
