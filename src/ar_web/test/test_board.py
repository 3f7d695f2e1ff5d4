"""From what the graph says to what the page says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ar_web.board import Board, tracking_of
from ar_web.stages import figures
from ar_web.state import Calibrating, Calibration, Friend, Speech, Tracking, TrackingState, to_json
from ar_web.words import nickname


def status(state: Tracking, reason: str = "") -> TrackingState:
    return TrackingState(state, reason)


def seeing(board: Board, now: float) -> None:
    """A camera that is on, and a picture right now."""
    board.watched(True, now)
    board.stage(figures("camera", "", {"state": "active", "rate_hz": "30"}), now)
    board.stage(figures("render", "", {"state": "active", "rate_hz": "30"}), now)
    board.picture((640, 480), 60.0, now)


def test_words_for_every_tracking_state_are_different_and_carry_the_reason() -> None:
    headlines = set()
    for state in Tracking:
        board = Board()
        seeing(board, 10.0)
        board.tracking(status(state, "too few points"), 10.0)
        said = board.state(10.1).speech
        headlines.add(said.headline)
        if state in (Tracking.LOST, Tracking.WEAK):
            assert "Too few points" in said.hint
    assert len(headlines) == len(Tracking)


def test_the_message_numbers_are_those_of_the_interface() -> None:
    names = [tracking_of(i).name for i in range(6)]
    assert names == ["INITIALISING", "STATIC", "TRACKING", "WEAK", "LOST", "RELOCALISED"]
    with pytest.raises(ValueError, match="6"):
        tracking_of(6)


def test_words_do_not_flicker_but_follow_within_half_a_second() -> None:
    board = Board()
    seeing(board, 0.0)
    board.tracking(status(Tracking.TRACKING), 0.0)
    for i in range(12):  # weak on every other frame
        board.tracking(status((Tracking.WEAK, Tracking.TRACKING)[i % 2]), i / 30)
        assert board.state(i / 30).speech.headline == "I can see the table"
    said = []
    for i in range(16):
        board.tracking(status(Tracking.LOST), 1 + i / 30)
        said.append(board.state(1 + i / 30).speech.mood)
    assert said[0] == "awake"
    assert said[-1] == "lost"
    board.picture((640, 480), 60.0, 2.0)
    board.tracking(status(Tracking.RELOCALISED), 2.0)
    board.tracking(status(Tracking.TRACKING), 2.03)
    assert "again" in board.state(2.1).speech.headline  # one frame of it would be gone before it is read


@pytest.mark.parametrize(
    ("camera", "render", "headline", "hint"),
    [
        (None, None, "Waiting for the camera", "plugged in"),
        ({"state": "active"}, None, "The camera is on", "renderer"),
        ({"state": "active"}, {"state": "active"}, "Almost there", "on its way"),
        ({"state": "active", "waiting": "for slam/pose"}, None, "getting up", "for slam/pose"),
        ({"state": "active", "source": "/dev/video0 gives no pictures"}, None, "Waiting for the camera", "/dev/video0"),
        ({"state": "active", "source": "ended"}, None, "The end", "over"),
    ],
)
def test_before_the_first_picture(camera: Any, render: Any, headline: str, hint: str) -> None:
    board = Board()
    board.watched(True, 0.0)
    for name, values in (("camera", camera), ("render", render)):
        if values:
            board.stage(figures(name, "", values), 1.0)
    said = board.state(1.5).speech
    assert said.mood == "asleep"
    assert headline in said.headline
    assert hint in said.hint


def test_a_stage_that_cannot_start_is_quoted() -> None:
    board = Board()
    board.watched(True, 0.0)
    board.stage(figures("camera", "no such device: /dev/video7", {"state": "unconfigured"}), 0.0)
    said = board.state(0.1).speech
    assert said.headline == "The camera cannot start"
    assert said.hint == "No such device: /dev/video7."


def test_the_picture_stops_and_says_who_went_quiet() -> None:
    board = Board()
    seeing(board, 0.0)
    board.tracking(status(Tracking.TRACKING), 0.0)
    assert board.state(1.0).speech.mood == "awake"
    assert board.state(1.6).speech.headline == "The picture is slow"
    board.stage(figures("render", "", {"state": "active", "rate_hz": "0.4"}), 2.0)
    assert "busy" in board.state(2.1).speech.hint
    board.stage(figures("render", "", {"state": "active", "rate_hz": "0"}), 2.2)
    assert "no picture arrives" in board.state(2.3).speech.hint
    board.stage(figures("camera", "", {"state": "active"}), 6.0)
    assert "renderer" in board.state(6.1).speech.hint
    assert board.state(10.0).speech.headline == "The camera went quiet"


def test_silence_means_nothing_while_nobody_looks() -> None:
    board = Board()
    seeing(board, 0.0)
    board.tracking(status(Tracking.TRACKING), 0.0)
    board.watched(False, 1.0)
    assert board.state(60.0).speech.headline == "I can see the table"
    board.watched(True, 60.0)
    assert board.state(61.0).picture_age == pytest.approx(1.0)


def test_figures_come_from_diagnostics_and_age() -> None:
    values = {
        "state": "active",
        "rate_hz": "29.5",
        "latency_p50_ms": "7.5",
        "latency_p99_ms": "19",
        "cpu_percent": "31",
        "rss_mb": "210",
        "skipped: a newer frame came first": "12",
        "rejected: image is truncated": "1",
        "calibration": "camera_info",
    }
    board = Board()
    board.stage(figures("detect", "", values), 100.0)
    board.stage(figures("stranger", "", values), 100.0)
    detect = {s.name: s for s in board.state(101.0).stages}["detect"]
    assert (detect.alive, detect.rate, detect.latency_ms) == (True, 29.5, (7.5, 19.0))
    assert detect.skipped == {"a newer frame came first": 12}
    assert detect.rejected == {"image is truncated": 1}
    assert detect.notes == {"calibration": "camera_info"}
    assert [s.name for s in board.state(101.0).stages] == ["camera", "detect", "segment", "slam", "character", "render"]
    gone = {s.name: s for s in board.state(104.0).stages}["detect"]
    assert (gone.alive, gone.rate, gone.latency_ms) == (False, 0.0, None)


def test_while_the_camera_is_calibrated_nothing_else_is_spoken_of() -> None:
    board = Board()
    board.watched(True, 0.0)
    board.picture((640, 480), 50.0, 0.1)
    board.tracking(TrackingState(Tracking.TRACKING), 0.1)
    assert board.state(0.2).speech.headline == "I can see the table"
    assert board.state(0.2).calibrated is None
    for state, mood in ((Calibrating.LOOKING, "looking"), (Calibrating.DONE, "awake"), (Calibrating.FAILED, "lost")):
        board.calibration(Calibration(state, "Closer", "Then hold it still."))
        assert board.state(0.2).speech == Speech(mood, "Closer", "Then hold it still.")
    board.calibration(Calibration())
    board.calibrated(True)
    assert board.state(0.2).speech.headline == "I can see the table"
    assert board.state(0.2).calibrated is True


def test_nonsense_in_diagnostics_becomes_nothing() -> None:
    stage = figures("detect", "", {"rate_hz": "nan", "latency_p50_ms": "fast", "skipped: x": "-3", "rss_mb": "inf"})
    assert (stage.rate, stage.latency_ms, stage.skipped, stage.rss_mb) == (0.0, None, {}, None)


def test_rate_and_delay_of_the_pictures() -> None:
    board = Board()
    board.watched(True, 0.0)
    for i in range(60):
        board.picture((640, 480), 50.0 + i % 2, i / 25)
    state = board.state(59 / 25)
    assert state.picture_rate == pytest.approx(25.0, abs=0.1)
    assert state.delay_ms == (pytest.approx(50.5, abs=0.51), pytest.approx(51.0, abs=0.01))
    board.picture((640, 480), 3e9, 3.0)  # an old bag among them does not matter, only old ones do
    assert board.state(3.0).delay_ms is not None
    old = Board()
    old.watched(True, 0.0)
    old.picture((640, 480), 3e9, 0.0)
    assert old.state(0.0).delay_ms is None


def test_friends_keep_their_names_and_leave() -> None:
    board = Board()
    for id in ("1", "2", "1"):
        board.friend(Friend(id, "", "object", 0.1, ("idle",), 10, False, True))
    first, second = board.state(0.0).friends
    assert (first.id, second.id) == ("1", "2")
    assert first.name != second.name
    board.portrait("2")
    board.farewell("1")
    (left,) = board.state(0.0).friends
    assert (left.name, left.portrait) == (second.name, True)
    board.farewell("")
    assert board.state(0.0).friends == ()


def test_nicknames_are_stable_and_never_doubled() -> None:
    assert nickname("mug", ()) == nickname("mug", ())
    taken: list[str] = []
    for i in range(60):
        taken.append(nickname(str(i), taken))
    assert len(set(taken)) == 60


def test_json_has_neither_nan_nor_enums() -> None:
    board = Board()
    seeing(board, 0.0)
    board.tracking(status(Tracking.LOST, "öäü \n"), 0.0)
    board.friend(Friend("a/b", "", "object", float("nan"), ("idle",), 10, False, True))
    board.happening("awaken", "a/b", False, "why not")
    message = json.loads(to_json("state", board.state(0.1)))
    assert message["type"] == "state"
    assert message["tracking"]["state"] == "lost"
    assert message["friends"][0]["height"] is None
    assert message["happenings"] == [
        {"number": 1, "kind": "awaken", "id": "a/b", "success": False, "message": "why not"}
    ]
