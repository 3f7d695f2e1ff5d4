"""What SLAM says, as messages. Part of the shell."""

from __future__ import annotations

import numpy as np
from geometry_msgs.msg import Point32, Polygon, PolygonStamped, PoseWithCovarianceStamped, TransformStamped, Vector3
from nav_msgs.msg import Odometry
from sensor_msgs.msg import PointCloud2, PointField
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from ar_core.conversions import point_message, pose_message
from ar_core.geometry import Array, inverse
from ar_core.geometry import transform as transform_points
from ar_interfaces.msg import PlaneStamped, TrackingStatus
from ar_slam.slam import Result
from ar_slam.surfaces import plane_frame

LINE_M = 0.004  # width of an outline where it is shown


def pose(header: Header, T_map_camera: Array, covariance: Array) -> PoseWithCovarianceStamped:
    """The camera's pose (4, 4), metres, with its covariance (6, 6): x, y, z, then rotations about them."""
    message = PoseWithCovarianceStamped(header=header)
    message.pose.pose = pose_message(T_map_camera)
    message.pose.covariance = covariance.ravel().tolist()
    return message


def odometry(header: Header, camera_frame: str, T_odom_camera: Array, covariance: Array) -> Odometry:
    """The pose (4, 4), metres, in the frame that never jumps; covariance (6, 6)."""
    message = Odometry(header=header, child_frame_id=camera_frame)
    message.pose.pose = pose_message(T_odom_camera)
    message.pose.covariance = covariance.ravel().tolist()
    return message


def turned(covariance: Array, T_map_odom: Array) -> Array:
    """A covariance (6, 6) along the map's axes, along those of odom."""
    A = np.kron(np.eye(2), T_map_odom[:3, :3].T)
    return np.asarray(A @ covariance @ A.T)


def transform(header: Header, child_frame: str, T: Array) -> TransformStamped:
    """T (4, 4), metres, from the child's coordinates to those of the header's frame."""
    at = pose_message(T)
    message = TransformStamped(header=header, child_frame_id=child_frame)
    message.transform.translation = Vector3(x=at.position.x, y=at.position.y, z=at.position.z)
    message.transform.rotation = at.orientation
    return message


def status(header: Header, result: Result) -> TrackingStatus:
    """How a frame was tracked, with the reason in words."""
    return TrackingStatus(
        header=header,
        state=int(result.state),
        reason=result.reason,
        scale_source=result.scale_source,
        map_id=result.map_id,
        points=result.points,
        inliers=result.inliers,
        inlier_ratio=result.inlier_ratio,
    )


def plane(header: Header, result: Result, outline: Array) -> PlaneStamped:
    """The table's plane in the map, its outline (n, 3) in metres."""
    n = result.plane.normal
    return PlaneStamped(
        header=header,
        normal=Vector3(x=float(n[0]), y=float(n[1]), z=float(n[2])),
        distance=float(result.plane.distance),
        extent=[point_message(x) for x in outline],
        map_id=result.map_id,
        assumed=result.plane_assumed,
    )


def surfaces(header: Header, result: Result, ground: Array) -> MarkerArray:
    """All planes: the outline (n, 3), metres, of the ground, id 0, and of the others by their ids.

    Each is a line around it in coordinates of its own: the marker's pose has z along the normal and lies in the middle. The
    first marker clears those of the message before; the text says which map it is.
    """
    planes = [
        (0, "ground", np.array([0.0, 0.0, 1.0]), ground),
        *((s.id, "surface", s.normal, s.outline) for s in result.surfaces),
    ]
    markers = [Marker(header=header, action=Marker.DELETEALL)]
    for number, name, normal, outline in planes:
        if len(outline) < 3:
            continue
        frame = plane_frame(normal, outline.mean(0))
        line = transform_points(inverse(frame), np.vstack([outline, outline[:1]]))
        markers.append(
            Marker(
                header=header,
                ns=name,
                id=number,
                type=Marker.LINE_STRIP,
                pose=pose_message(frame),
                scale=Vector3(x=LINE_M, y=0.0, z=0.0),
                color=ColorRGBA(r=0.2, g=0.8, b=0.4, a=1.0) if number == 0 else ColorRGBA(r=1.0, g=0.6, b=0.1, a=1.0),
                points=[point_message(x) for x in line],
                text=f"map {result.map_id}",
            )
        )
    return MarkerArray(markers=markers)


def polygon(header: Header, outline: Array) -> PolygonStamped:
    """An outline (n, 3), metres, as programs that know no messages of ours can show it."""
    corners = [Point32(x=float(x), y=float(y), z=float(z)) for x, y, z in outline]
    return PolygonStamped(header=header, polygon=Polygon(points=corners))


def cloud(header: Header, X: Array) -> PointCloud2:
    """Points (n, 3), metres, as x, y, z float32."""
    names = enumerate(("x", "y", "z"))
    fields = [PointField(name=name, offset=4 * i, datatype=PointField.FLOAT32, count=1) for i, name in names]
    data = np.ascontiguousarray(X, "<f4").tobytes()
    return PointCloud2(
        header=header,
        height=1,
        width=len(X),
        fields=fields,
        point_step=12,
        row_step=len(data),
        data=data,
        is_dense=True,
    )
