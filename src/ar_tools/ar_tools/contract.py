"""The topic contract: what the graph publishes, for programs that look at all of it."""

from __future__ import annotations

STAGES = ("camera", "detect", "segment", "slam", "character", "render")
PICTURES = {"camera/image_raw": "camera/image_raw/compressed", "render/image": "render/image/compressed"}
TOPICS = {
    "camera/image_raw": "sensor_msgs/msg/Image",
    "camera/image_raw/compressed": "sensor_msgs/msg/CompressedImage",
    "camera/camera_info": "sensor_msgs/msg/CameraInfo",
    "detections": "vision_msgs/msg/Detection2DArray",
    "detect/label_info": "vision_msgs/msg/LabelInfo",
    "segment/mask": "sensor_msgs/msg/Image",
    "segment/object": "ar_interfaces/msg/SegmentedObject",
    "slam/pose": "geometry_msgs/msg/PoseWithCovarianceStamped",
    "slam/odometry": "nav_msgs/msg/Odometry",
    "slam/status": "ar_interfaces/msg/TrackingStatus",
    "slam/plane": "ar_interfaces/msg/PlaneStamped",
    "slam/plane_outline": "geometry_msgs/msg/PolygonStamped",
    "slam/points": "sensor_msgs/msg/PointCloud2",
    "character/model": "ar_interfaces/msg/Character",
    "render/image": "sensor_msgs/msg/Image",
    "render/image/compressed": "sensor_msgs/msg/CompressedImage",
    "events": "ar_interfaces/msg/Event",
    "/tf": "tf2_msgs/msg/TFMessage",
    "/diagnostics": "diagnostic_msgs/msg/DiagnosticArray",
    **{f"{stage}/report": "ar_interfaces/msg/StageReport" for stage in STAGES},
}
# For who looks on: they are recorded only when they are named.
VIEWS = {
    "camera/calibration": "ar_interfaces/msg/CalibrationStatus",
    "render/markers": "visualization_msgs/msg/MarkerArray",
    "slam/planes": "visualization_msgs/msg/MarkerArray",
}
# Late joiners get the last ones.
LATCHED = {
    "camera/calibration", "detect/label_info", "segment/object", "slam/plane", "slam/plane_outline", "slam/planes",
    "slam/points", "character/model",
}  # fmt: skip


def topics(*, compressed: bool = False) -> list[str]:
    """The topics of the contract, pictures either raw or ``compressed``."""
    left_out = set(PICTURES if compressed else PICTURES.values())
    return [name for name in TOPICS if name not in left_out]
