import numpy as np

from ar_slam.shelf import Shelf


def picture(value: int, shape: tuple[int, int] = (4, 6)) -> np.ndarray:
    return np.full(shape, value, np.uint8)


def memory_of(array: np.ndarray) -> object:
    """The object whose memory it is; the array itself, if that is its own."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array.base.obj if isinstance(array.base, memoryview) else array


def test_pictures_are_copied_into_memory_that_was_taken_once() -> None:
    shelf = Shelf(3)
    mine = picture(1)
    kept = [shelf.keep(mine), shelf.keep(picture(2)), shelf.keep(picture(3))]
    mine[:] = 9
    assert [k[0, 0] for k in kept] == [1, 2, 3]
    assert all((k == k[0, 0]).all() and k.shape == (4, 6) for k in kept)
    assert all(memory_of(k) is memory_of(kept[0]) for k in kept)
    fourth = shelf.keep(picture(4))  # no room: in memory of its own
    assert (fourth == 4).all()
    assert memory_of(fourth) is not memory_of(kept[0])


def test_a_slot_is_free_when_nobody_holds_any_part_of_its_picture() -> None:
    shelf = Shelf(2)
    first, second = shelf.keep(picture(1)), shelf.keep(picture(2))
    part = first[1:3, 2:]
    memory = memory_of(first)
    del first
    assert memory_of(shelf.keep(picture(3))) is not memory  # a part is still held
    assert (part == 1).all()
    del part
    third = shelf.keep(picture(3))
    assert memory_of(third) is memory
    assert (third == 3).all()
    assert (second == 2).all()


def test_pictures_of_another_size_leave_the_old_ones_alone() -> None:
    shelf = Shelf(2)
    small = shelf.keep(picture(1))
    large = shelf.keep(picture(2, (8, 8)))
    del small
    again = [shelf.keep(picture(v, (8, 8))) for v in (3, 4)]
    assert (large == 2).all()
    assert [a[0, 0] for a in again] == [3, 4]
