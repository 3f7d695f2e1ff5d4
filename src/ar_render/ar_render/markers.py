"""The characters for RViz and Foxglove, as ``visualization_msgs/MarkerArray``.

RViz cannot load a mesh that is in no file, so each body is told as the triangles of its proxy, a few times a second.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from geometry_msgs.msg import Point
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from ar_render.layout import Body, Figure, Posed
from ar_render.looks import colours

PERIOD_NS = 100_000_000  # of image time


class Markers:
    """Makes them when it is time, and remembers the colours of every body."""

    def __init__(self) -> None:
        self._shades: dict[str, tuple[Body, list[ColorRGBA]]] = {}
        self._last = -PERIOD_NS

    def due(self, stamp: int) -> bool:
        """Whether the picture with this stamp shall be told of."""
        if 0 <= stamp - self._last < PERIOD_NS:
            return False
        self._last = stamp
        return True

    def of(self, figures: Sequence[tuple[str, Figure]], header: Header) -> MarkerArray:
        """Everybody where and how they stand, in ``map``, with their names; who was told of before is replaced."""
        header = Header(stamp=header.stamp, frame_id="map")
        out = MarkerArray(markers=[Marker(header=header, action=Marker.DELETEALL)])
        self._shades = {name: self._shades_of(name, figure.body) for name, figure in figures}
        for name, figure in figures:
            posed, shades = Posed(figure), self._shades[name][1]
            corners = figure.body.proxy.triangles.ravel().tolist()
            points = [Point(x=x, y=y, z=z) for x, y, z in posed.points.tolist()]
            body = _marker(header, name, 0, Marker.TRIANGLE_LIST, 1.0)
            body.points, body.colors = [points[i] for i in corners], [shades[i] for i in corners]
            text = _marker(header, name, 1, Marker.TEXT_VIEW_FACING, 0.2 * posed.height)
            T = figure.T_map_character
            x, y, z = (T[:3, 3] + 1.2 * posed.height * T[:3, 2]).tolist()
            text.pose.position, text.text = Point(x=x, y=y, z=z), name
            out.markers += [body, text]
        return out

    def _shades_of(self, name: str, body: Body) -> tuple[Body, list[ColorRGBA]]:
        known = self._shades.get(name)
        if known is not None and known[0] is body:
            return known
        rgb = np.round(colours(body.model, body.proxy).astype(float), 3).tolist()
        return body, [ColorRGBA(r=r, g=g, b=b, a=1.0) for r, g, b in rgb]


def _marker(header: Header, name: str, id: int, kind: int, scale: float) -> Marker:
    white = ColorRGBA(r=1.0, g=1.0, b=1.0, a=1.0)
    marker = Marker(header=header, ns=name, id=id, type=kind, action=Marker.ADD, color=white)
    marker.scale.x = marker.scale.y = marker.scale.z = scale
    marker.pose.orientation.w = 1.0
    return marker
