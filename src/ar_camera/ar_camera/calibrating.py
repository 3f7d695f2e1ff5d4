"""What can be asked of the camera node about its calibration: to find one with a board, or to take one. Part of the shell.

Services ``camera/calibrate`` (guided, `ar_camera.guided`) and ``camera/set_camera_info`` (as ROS's camera drivers have it);
what is found is written, and used from the next picture on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.publisher import Publisher
from sensor_msgs.srv import SetCameraInfo
from std_msgs.msg import Header

from ar_camera.calibrator import PARTS
from ar_camera.fitting import Calibration
from ar_camera.guided import Guided, State, Status
from ar_camera.remembered import calibration_file, is_live
from ar_core.camera_info import read_camera_info, write_camera_info
from ar_core.conversions import intrinsics_from, stamp_from
from ar_core.geometry import Intrinsics
from ar_core.stage import Stage
from ar_interfaces.msg import CalibrationStatus
from ar_interfaces.srv import Calibrate


class Calibrating:
    """Answers for a stage. given: a calibration file, or empty; source: what the camera is."""

    def __init__(self, stage: Stage[Any], status: Publisher, given: str, source: str) -> None:
        self._stage, self._status, self._file = stage, status, calibration_file(given, source)
        self._found: Intrinsics | None = None  # another calibration than the source's own
        self._guided: Guided | None = None
        self._size = (0, 0)
        if given and source.startswith("topic:"):  # other sources have read it themselves
            self._found = read_camera_info(self._file)
        elif not given and is_live(source) and self._file.exists():
            self._remember()
        self._tell(Status())
        stage.serve(Calibrate, "camera/calibrate", self._asked)
        stage.serve(SetCameraInfo, "camera/set_camera_info", self._given)

    def camera(self, width: int, height: int) -> Intrinsics | None:
        """The calibration that was found for pictures of that size; None as long as there is none but the source's own."""
        found = self._found
        if found is None or _fits(found, width, height):
            return found
        self._stage.warn_once(
            f"{self._file} is for {found.width}x{found.height} pixels, the pictures have {width}x{height}: not used"
        )
        return None

    def show(self, stamp: int, image: NDArray[np.uint8]) -> None:
        """A picture goes out."""
        self._size = (image.shape[1], image.shape[0])
        if self._guided is not None:
            self._guided.show(stamp, image)

    def stop(self) -> None:
        """Give up what is under way."""
        if self._guided is not None:
            self._guided.cancel()
            self._guided = None

    def _asked(self, request: Any, response: Any) -> Any:
        guided = self._guided
        running = guided is not None and guided.running
        if request.action == "begin":
            self._live()
            self.stop()
            self._guided = Guided(self._tell, self._keep, request.model, max(0.0, float(request.square_mm)))
            self._guided.start()
        elif request.action not in ("finish", "cancel"):
            raise ValueError(f"calibrate: action {request.action[:40]!r}: there are begin, finish and cancel")
        elif request.action == "cancel":
            self.stop()
            self._tell(Status())
        elif guided is None or not running:
            raise ValueError("calibrate: nothing is under way to finish")
        else:
            guided.finish()
        response.success = True
        return response

    def _given(self, request: Any, response: Any) -> Any:
        self._live()
        given = intrinsics_from(request.camera_info)
        if given is None:
            raise ValueError("camera_info: its matrix K is zero: that is no calibration")
        width, height = self._size
        if width and not _fits(given, width, height):
            raise ValueError(
                f"camera_info is for {given.width}x{given.height} pixels, the pictures have {width}x{height}"
            )
        self._use(given)
        response.success, response.status_message = True, f"used from now on, and written to {self._file}"
        return response

    def _remember(self) -> None:
        """A damaged file is one line; the camera comes up all the same."""
        try:
            self._found = read_camera_info(self._file)
            self._stage.get_logger().info(f"calibrated before: {self._file}")
        except ValueError as error:
            self._stage.warn_once(f"{error}; going on without")

    def _live(self) -> None:
        if self._stage.lockstep:
            raise ValueError("in lock-step the calibration stays as it is: every run is to give the same")

    def _keep(self, done: Calibration) -> str:
        self._use(done.intrinsics)
        return str(self._file)

    def _use(self, camera: Intrinsics) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        write_camera_info(self._file, camera, self._file.stem)
        self._found = camera
        self._stage.get_logger().info(
            f"calibrated: {camera.model}, focal length {camera.fx:.1f} px, in {self._file}; used from now on"
        )

    def _tell(self, status: Status) -> None:
        width, height = status.size
        self._status.publish(
            CalibrationStatus(
                header=Header(stamp=stamp_from(status.stamp)),
                state=int(status.state),
                headline=status.headline,
                hint=status.hint,
                missing=list(status.missing),
                progress=status.progress,
                views=status.views,
                enough=status.enough and status.state == State.LOOKING,
                width=width,
                height=height,
                board=list(status.board),
                target=list(status.target),
                columns=PARTS[0],
                rows=PARTS[1],
                covered=list(status.covered),
                rms_px=status.rms_px,
                path=status.path,
            )
        )


def _fits(camera: Intrinsics, width: int, height: int) -> bool:
    """Whether it may be one of pictures of that size: whether the shapes are the same."""
    return abs(camera.width * height - camera.height * width) <= max(width, height)
