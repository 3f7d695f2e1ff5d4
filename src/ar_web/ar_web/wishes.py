"""What pages wish, asked of the graph's services. Part of the ROS shell; every call ends, in words, within seconds."""

from __future__ import annotations

import asyncio
from typing import Any

from rclpy.client import Client
from rclpy.node import Node
from std_srvs.srv import Trigger

from ar_core.conversions import stamp_from
from ar_interfaces.srv import Act, Awaken, Calibrate, RecordBag, Remove
from ar_web.state import Answer

TIMEOUT_S = 3.0
NAN = float("nan")


class Wishes:
    """Implements ``hub.Actions``; its coroutines run in the page's event loop, the answers come in ROS's thread."""

    def __init__(self, node: Node) -> None:
        self._awaken = node.create_client(Awaken, "segment/awaken")
        self._act = node.create_client(Act, "render/act")
        self._remove = node.create_client(Remove, "render/remove")
        self._reset = node.create_client(Trigger, "slam/reset")
        self._calibrate = node.create_client(Calibrate, "camera/calibrate")
        self._bag_on = node.create_client(RecordBag, "record/start")
        self._bag_off = node.create_client(Trigger, "record/stop")

    async def poke(self, stamp: int, x: float, y: float) -> Answer:
        """Make the character at the pixel jump."""
        return await _call(self._act, Act.Request(action="poke", x=x, y=y, stamp=stamp_from(stamp)))

    async def awaken_at(self, stamp: int, x: float, y: float) -> Answer:
        """Awaken the object at the pixel."""
        return await _call(self._awaken, Awaken.Request(prompt=Awaken.Request.PIXEL, x=x, y=y, stamp=stamp_from(stamp)))

    async def awaken(self, stamp: int, detection: str) -> Answer:
        """Awaken a detection, or the most prominent object."""
        prompt = Awaken.Request.DETECTION if detection else Awaken.Request.NONE
        return await _call(self._awaken, Awaken.Request(prompt=prompt, detection_id=detection, stamp=stamp_from(stamp)))

    async def act(self, id: str, clip: str) -> Answer:
        """Let a character play a clip."""
        return await _call(self._act, Act.Request(id=id, action="clip", name=clip, x=NAN, y=NAN))

    async def ask(self, action: str, id: str, stamp: int, x: float, y: float) -> Answer:
        """Hold, lead, feed or call a character."""
        return await _call(self._act, Act.Request(id=id, action=action, x=x, y=y, stamp=stamp_from(stamp)))

    async def remove(self, id: str) -> Answer:
        """Let a character become a thing again."""
        return await _call(self._remove, Remove.Request(id=id))

    async def reset(self) -> Answer:
        """Forget the map."""
        return await _call(self._reset, Trigger.Request())

    async def bag(self, on: bool) -> Answer:
        """Begin a bag of everything, where the recorder keeps its bags; or end it."""
        return await (_call(self._bag_on, RecordBag.Request()) if on else _call(self._bag_off, Trigger.Request()))

    async def calibrate(self, action: str, model: str, square_mm: float) -> Answer:
        """Begin, finish or cancel a calibration of the camera."""
        return await _call(self._calibrate, Calibrate.Request(action=action, model=model, square_mm=square_mm))


async def _call(client: Client, request: Any) -> Answer:
    """The service's answer, or in words that nobody gave one."""
    stage = client.srv_name.strip("/").split("/")[-2]
    if not client.service_is_ready():
        return Answer(False, f"Nobody answers: the stage '{stage}' is not running.", reached=False)
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[Any] = loop.create_future()

    def pass_on(future: Any) -> None:
        loop.call_soon_threadsafe(lambda: None if answered.done() else answered.set_result(future.result()))

    pending = client.call_async(request)
    pending.add_done_callback(pass_on)
    try:
        response = await asyncio.wait_for(answered, TIMEOUT_S)
    except TimeoutError:
        client.remove_pending_request(pending)
        return Answer(False, f"No answer from the stage '{stage}' within {TIMEOUT_S:g} s.", reached=False)
    return Answer(response.success, response.message, getattr(response, "id", ""))
