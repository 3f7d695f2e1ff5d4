import threading
import time

import numpy as np
import pytest

from ar_core.geometry import pose
from ar_render.joining import Joiner

MS = 1_000_000
PAST = -1e9  # received long ago: nothing is waited for


def at(x: float) -> np.ndarray:
    return pose(np.eye(3), np.array([x, 0, 0]))


def filled() -> Joiner:
    joiner = Joiner()
    for i in range(10):
        joiner.add_pose(i * 33 * MS, at(i))
        joiner.add_status(i * 33 * MS, lost=False, map_id=4)
    return joiner


def test_the_pose_is_that_of_the_very_stamp() -> None:
    joined = filled().join(5 * 33 * MS, PAST, False)
    assert joined.how == "exact"
    assert joined.pose is not None
    assert joined.pose[0, 3] == 5
    assert (joined.map_id, joined.sure) == (4, True)
    assert not filled().join(20 * 33 * MS, PAST, False).sure


@pytest.mark.parametrize(
    ("stamp", "how", "x"), [(4.5, "interpolated", 4.5), (10, "predicted", 10.0), (18, "held", 9.0)]
)
def test_a_pose_that_is_missing_is_made_up_and_said_to_be(stamp: float, how: str, x: float) -> None:
    joined = filled().join(round(stamp * 33 * MS), PAST, False)
    assert joined.how == how
    assert joined.pose is not None
    assert joined.pose[0, 3] == pytest.approx(x)


def test_no_pose_before_the_first_and_long_after_the_last() -> None:
    assert Joiner().join(0, PAST, False).how == "none"
    assert filled().join(-1, PAST, False).pose is None
    assert filled().join(5000 * MS, PAST, False).pose is None


def test_lost_holds_for_half_a_second_and_then_hides() -> None:
    joiner = filled()
    for i in range(10, 40):
        joiner.add_status(i * 33 * MS, lost=True, map_id=4)
    assert joiner.join((10 * 33 + 400) * MS, PAST, False).how == "held"
    assert joiner.join((10 * 33 + 600) * MS, PAST, False).how == "none"
    joiner.add_pose(40 * 33 * MS, at(40))
    joiner.add_status(40 * 33 * MS, lost=False, map_id=4)
    assert joiner.join(40 * 33 * MS, PAST, False).how == "exact"


def test_a_pose_that_comes_within_the_wait_is_exact() -> None:
    joiner = Joiner(wait=20.0)
    joiner.add_pose(0, at(0))
    joiner.add_status(0, lost=False, map_id=0)

    def tracking() -> None:
        joiner.add_pose(33 * MS, at(1))
        joiner.add_status(33 * MS, lost=False, map_id=1)

    thread = threading.Thread(target=tracking)
    thread.start()
    joined = joiner.join(33 * MS, time.monotonic(), False)
    thread.join()
    assert joined.how == "exact"
    assert (joined.map_id, joined.sure) == (1, True)  # the pose alone could be one of the new map


def test_nothing_is_waited_for_when_the_status_says_lost() -> None:
    joiner = Joiner(wait=1e6)
    joiner.add_pose(0, at(0))
    joiner.add_status(33 * MS, lost=True, map_id=0)
    assert joiner.join(33 * MS, time.monotonic(), False).how == "held"


def test_the_newest_mask_is_used_with_its_age_and_not_when_stale() -> None:
    joiner = filled()
    mask = np.full((4, 4), 9, np.uint8)
    joiner.add_mask(3 * 33 * MS, mask)
    joiner.add_mask(9 * 33 * MS, np.zeros((4, 4), np.uint8))
    joined = joiner.join(5 * 33 * MS, PAST, True)
    assert joined.mask is mask
    assert joined.mask_age == pytest.approx(0.066)
    assert joined.mask_stamp == 3 * 33 * MS
    assert joiner.join((9 * 33 + 1500) * MS, PAST, True).mask is None


def test_after_the_stamps_started_over_nothing_old_is_left() -> None:
    joiner = filled()
    joiner.forget()
    assert joiner.join(5 * 33 * MS, PAST, True).pose is None


@pytest.mark.parametrize("kind", ["pose", "mask"])
def test_what_was_left_out_is_not_waited_for(kind: str) -> None:
    """A stage that has published something newer will not come back to an older picture."""
    joiner = Joiner(wait=1e6)
    for i in (1, 2, 4):
        joiner.add_status(i * 33 * MS, False, 1)
        joiner.add_pose(i * 33 * MS, np.eye(4))
        joiner.add_mask(i * 33 * MS, np.zeros((2, 2), np.uint8))
    skipped, coming = 3 * 33 * MS, 5 * 33 * MS
    assert joiner.complete(skipped, True)
    assert joiner.join(skipped, time.monotonic(), True).mask_stamp == 2 * 33 * MS
    assert kind in joiner._awaited(coming, True, time.monotonic())
    joiner.forget()
    assert kind in joiner._awaited(skipped, True, time.monotonic())  # the stamps start over


def test_what_never_comes_in_time_is_waited_for_only_now_and_then() -> None:
    joiner = Joiner(wait=1e-6)
    waited = []
    for i in range(60):
        joiner.add_pose(i * 33 * MS, at(i))
        joiner.add_status(i * 33 * MS, lost=False, map_id=0)
        joiner.add_mask((i - 3) * 33 * MS, np.zeros((4, 4), np.uint8))  # always three pictures late
        waited.append("mask" in joiner._awaited(i * 33 * MS, True, time.monotonic()))
        assert joiner.join(i * 33 * MS, time.monotonic(), True).how == "exact"
    assert all(waited[:4])
    assert 1 <= sum(waited[20:]) <= 4
