"""A guided calibration from its first picture to the file: beside whatever else is done with the pictures."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_camera.board import Board, Image
from ar_camera.calibrator import LEAST_VIEWS, Calibrator
from ar_camera.fitting import Calibration
from ar_camera.guidance import Guide
from ar_core.lens import MODELS, PLUMB_BOB

GIVEN_UP_S = 180.0  # without a new view
EVERY_S = 0.08  # from one picture that is looked at to the next: a board is found in 10-20 ms


class State(IntEnum):
    """By the numbers of ar_interfaces/CalibrationStatus."""

    IDLE = 0
    LOOKING = 1
    SOLVING = 2
    DONE = 3
    FAILED = 4


@dataclass(frozen=True)
class Status:
    """How it does: the fields of ar_interfaces/CalibrationStatus; stamp: of the picture that was looked at."""

    state: State = State.IDLE
    headline: str = ""
    hint: str = ""
    missing: tuple[str, ...] = ()
    progress: float = 0.0
    views: int = 0
    enough: bool = False
    stamp: int = 0
    size: tuple[int, int] = (0, 0)
    board: tuple[float, ...] = ()
    target: tuple[float, ...] = ()
    covered: tuple[bool, ...] = ()
    rms_px: float = float("nan")
    path: str = ""


class Guided:
    """Looks at the newest picture now and then, in a thread of its own, until it has ended.

    tell: hears every new status; keep: writes and uses what was found, and gives the file's path. Both are called in that
    thread. ValueError for a model that there is not.
    """

    def __init__(
        self,
        tell: Callable[[Status], None],
        keep: Callable[[Calibration], str],
        model: str = "",
        square_mm: float = 0.0,
        board: Board | None = None,
    ) -> None:
        if model and model not in MODELS:
            raise ValueError(f"model '{model[:40]}': there are {', '.join(MODELS)}")
        self.status = Status(State.LOOKING, "Show me the board", "All of it, flat and evenly lit.")
        self._tell, self._keep = tell, keep
        self._model, self._square_mm, self._board = model or PLUMB_BOB, square_mm, board or Board()
        self._guide: Guide | None = None
        self._newest: tuple[int, NDArray[np.uint8]] | None = None
        self._ending = ""  # or "finish", "cancel"
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="calibration", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._thread.is_alive()

    def show(self, stamp: int, image: NDArray[np.uint8]) -> None:
        """The camera's newest picture (H, W, 3) bgr, which nobody changes any more, and its stamp in nanoseconds."""
        with self._changed:
            self._newest = stamp, image
            self._changed.notify()

    def finish(self) -> None:
        """Solve with the views there are; ValueError where they are too few."""
        if self.status.views < LEAST_VIEWS:
            raise ValueError(f"too few views: {self.status.views} of at least {LEAST_VIEWS}; go on a little")
        self._end("finish")

    def cancel(self) -> None:
        """Give it up; returns when it has ended."""
        self._end("cancel")
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def look(self, stamp: int, image: NDArray[np.uint8], now: float) -> None:
        """Look at a picture; now: seconds of a clock that does not go back."""
        height, width = image.shape[:2]
        if self._guide is None or self._guide.calibrator.size != (width, height):
            self._guide = Guide(Calibrator(self._board, (width, height), self._model), self._square_mm)
        calibrator = self._guide.calibrator
        grey: Image = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
        sight = calibrator.see(grey, self._guide.wants)
        advice = self._guide.advise(sight, now)
        outline = () if sight.outline is None else tuple(float(v) for v in sight.outline.ravel())
        scale = (width, height, width, height)
        self._say(
            Status(
                State.LOOKING, advice.headline, advice.hint, advice.missing, advice.progress, len(calibrator.views),
                len(calibrator.views) >= LEAST_VIEWS, stamp, (width, height), outline,
                () if advice.target is None else tuple(float(v * s) for v, s in zip(advice.target, scale, strict=True)),
                tuple(bool(v) for v in calibrator.covered().ravel()),
            )
        )  # fmt: skip

    def solve(self) -> None:
        """Find the camera, keep it, and say how good it is."""
        before = replace(self.status, board=(), target=())
        self._say(replace(before, state=State.SOLVING, headline="One moment", hint="Finding the camera …"))
        try:
            assert self._guide is not None
            done = self._guide.calibrator.solve()
            path = self._keep(done)
        except (ValueError, OSError) as error:  # too bad an error, or a folder that cannot be written
            self._fail(str(error))
            return
        why = (
            "" if done.meaning in ("very good", "good") else " Better with a flat, sharp, evenly lit board: try again."
        )
        focal = f"focal length {done.intrinsics.fx:.0f} px, {len(done.view_rms_px)} views"
        hint = f"The error is {done.rms_px:.2f} px: {done.meaning} ({focal}).{why}"
        self._say(
            replace(
                before, state=State.DONE, headline="The camera is calibrated", hint=hint, missing=(), progress=1.0,
                rms_px=done.rms_px, path=path,
            )
        )  # fmt: skip

    # ---- the thread

    def _run(self) -> None:
        self._say(self.status)
        try:
            self._collect()
        except Exception as error:  # whatever a damaged picture makes go wrong; the camera goes on
            self._fail(" ".join(f"{type(error).__name__}: {error}".split())[:300])

    def _collect(self) -> None:
        views, since = 0, time.monotonic()
        while True:
            began = time.monotonic()
            with self._changed:
                self._changed.wait_for(lambda: self._newest is not None or self._ending)
                ending, newest = self._ending, self._newest
                self._newest = None
            if ending == "cancel":
                self._say(Status())
                return
            if newest is not None:
                self.look(*newest, time.monotonic())
            if ending == "finish" or (self._guide is not None and self._guide.done):
                self.solve()
                return
            if self.status.views != views:
                views, since = self.status.views, began
            if began - since > GIVEN_UP_S:
                self._fail(f"No new view for {GIVEN_UP_S / 60:.0f} minutes: begin again when the board is at hand.")
                return
            time.sleep(max(0.0, EVERY_S - (time.monotonic() - began)))

    def _fail(self, why: str) -> None:
        self._say(replace(self.status, state=State.FAILED, headline="That did not work", hint=why, board=(), target=()))

    def _end(self, how: str) -> None:
        with self._changed:
            self._ending = how
            self._changed.notify()

    def _say(self, status: Status) -> None:
        self.status = status
        self._tell(status)
