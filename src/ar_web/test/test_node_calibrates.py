"""The calibration of the camera through the page's node: what is asked, what is told, and whose pictures are shown."""

from __future__ import annotations

from collections.abc import Callable

import aiohttp
import pytest
from played_graph import Graph, Process, answer, hear, meanwhile, repeating, state
from sensor_msgs.msg import CompressedImage

from ar_core import qos
from ar_interfaces.msg import CalibrationStatus
from ar_interfaces.srv import Calibrate
from ar_web.state import Calibrating

pytestmark = pytest.mark.graph


def test_the_numbers_are_those_of_the_interface() -> None:
    for number, each in enumerate(Calibrating):
        assert getattr(CalibrationStatus, each.name) == number


async def test_from_begin_to_done(start_node: Callable[..., Process], played: Graph) -> None:
    web = start_node("port:=0")
    status = played.node.create_publisher(CalibrationStatus, "camera/calibration", qos.latched())
    camera = played.node.create_publisher(CompressedImage, "camera/image_raw/compressed", qos.reliable(2))
    played.serve(Calibrate, "camera/calibrate", success=True)
    async with (
        aiohttp.ClientSession(await meanwhile(lambda: web.url)) as session,
        session.ws_connect("/live") as socket,
    ):
        await meanwhile(lambda: played.picture.get_subscription_count())

        async def ask() -> None:
            wish = {"type": "calibrate", "number": 1, "action": "begin", "model": "equidistant", "square_mm": 12.5}
            await socket.send_json(wish)

        assert (await repeating(ask, hear(socket, lambda b: b["type"] == "answer" and b["ok"]), 0.5))["number"] == 1
        asked = played.asked[0]
        assert (asked.action, asked.model, asked.square_mm) == ("begin", "equidistant", 12.5)
        looking = CalibrationStatus(
            state=CalibrationStatus.LOOKING, headline="Closer", hint="Then hold it still.", missing=["5 more views"],
            progress=0.5, views=9, enough=True, width=640, height=480, board=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0],
            columns=2, rows=1, covered=[True, False], rms_px=float("nan"),
        )  # fmt: skip
        status.publish(looking)
        told = await hear(socket, lambda b: b["type"] == "calibration" and b["state"] == "looking")
        assert (told["missing"], told["views"], told["enough"], told["size"]) == (["5 more views"], 9, True, [640, 480])
        assert (told["board"], told["covered"], told["columns"]) == ([1, 2, 3, 4, 5, 6, 7, 8], [True, False], 2)
        await hear(socket, state(lambda s: s["speech"]["headline"] == "Closer"))
        await meanwhile(lambda: camera.get_subscription_count() and not played.picture.get_subscription_count())
        status.publish(CalibrationStatus(state=77))  # no such state: the page says so and lives on
        await meanwhile(lambda: played.rejected("calibration: unknown state") == 1)
        status.publish(CalibrationStatus(state=CalibrationStatus.DONE, headline="Done", path="/there/camera.yaml"))
        told = await hear(socket, lambda b: b["type"] == "calibration" and b["state"] == "done")
        assert told["path"] == "/there/camera.yaml"
        await meanwhile(lambda: played.picture.get_subscription_count() and not camera.get_subscription_count())
        await socket.send_json({"type": "calibrate", "number": 2, "action": "cancel"})
        assert (await hear(socket, answer(2)))["ok"]
        assert played.asked[-1].action == "cancel"
