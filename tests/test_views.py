"""RViz and Foxglove show the graph as it is: every topic in their configurations is published, with a type they can show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ar_tools.contract import LATCHED, TOPICS, VIEWS

PUBLISHED = {"/" + name.removeprefix("/"): kind for name, kind in (TOPICS | VIEWS).items()}
# What a display of RViz subscribes.
RVIZ = {
    "Camera": "sensor_msgs/msg/Image",
    "Image": "sensor_msgs/msg/Image",
    "MarkerArray": "visualization_msgs/msg/MarkerArray",
    "Odometry": "nav_msgs/msg/Odometry",
    "PointCloud2": "sensor_msgs/msg/PointCloud2",
    "Polygon": "geometry_msgs/msg/PolygonStamped",
    "PoseWithCovariance": "geometry_msgs/msg/PoseWithCovarianceStamped",
}
WITHOUT_TOPIC = {"Grid", "TF"}
# What Foxglove's 3D panel draws, of what we publish.
FOXGLOVE = {*RVIZ.values(), "sensor_msgs/msg/CameraInfo", "sensor_msgs/msg/CompressedImage"}


def displays(root: Path) -> list[dict[str, Any]]:
    config = yaml.safe_load((root / "launch" / "config" / "tsukumo.rviz").read_text())
    found: list[dict[str, Any]] = config["Visualization Manager"]["Displays"]
    return found


def test_rviz_shows_what_is_published(root: Path) -> None:
    shown = set()
    for display in displays(root):
        kind = display["Class"].removeprefix("rviz_default_plugins/")
        if kind in WITHOUT_TOPIC:
            assert "Topic" not in display
            continue
        topic = display["Topic"]
        assert PUBLISHED[topic["Value"]] == RVIZ[kind], display["Name"]
        late = topic["Durability Policy"] == "Transient Local"
        assert late == (topic["Value"].removeprefix("/") in LATCHED), display["Name"]
        shown.add(topic["Value"])
    assert shown >= {"/camera/image_raw", "/render/image", "/render/markers", "/slam/points", "/slam/plane_outline", "/slam/pose"}


def named(value: Any) -> Iterator[tuple[str, str]]:
    """(which field, topic) for everything that names a topic in a layout of Foxglove."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "topics":
                yield from ((key, topic) for topic in inner)
            elif key in ("imageTopic", "calibrationTopic", "topicPath", "topicToRender"):
                yield key, inner
            else:
                yield from named(inner)


def test_foxglove_shows_what_is_published(root: Path) -> None:
    layout = json.loads((root / "launch" / "config" / "tsukumo.foxglove.json").read_text())
    found = list(named(layout["configById"]))
    fits = {
        "topics": FOXGLOVE,
        "imageTopic": {"sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"},
        "calibrationTopic": {"sensor_msgs/msg/CameraInfo"},
        "topicToRender": {"diagnostic_msgs/msg/DiagnosticArray"},
    }
    for key, topic in found:
        kind = PUBLISHED[topic]
        assert key == "topicPath" or kind in fits[key], (key, topic)
    assert {topic for _, topic in found} >= {
        "/camera/image_raw/compressed", "/render/image/compressed", "/render/markers",
        "/slam/points", "/slam/plane_outline", "/slam/pose",
    }  # fmt: skip


def panels(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    else:
        yield from panels(node["first"])
        yield from panels(node["second"])


def test_every_panel_of_the_layout_is_described(root: Path) -> None:
    layout = json.loads((root / "launch" / "config" / "tsukumo.foxglove.json").read_text())
    assert sorted(panels(layout["layout"])) == sorted(layout["configById"])


@pytest.mark.parametrize("name", ["tsukumo.rviz", "tsukumo.foxglove.json"])
def test_the_configurations_are_installed(root: Path, name: str) -> None:
    assert (root / "launch" / "config" / name).exists()
    assert "DIRECTORY config" in (root / "launch" / "CMakeLists.txt").read_text()
