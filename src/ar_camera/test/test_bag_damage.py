"""Bags of broken disks and wrong programs: their pictures are shown, or one line says why not."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from damage import mutated
from foreign_bags import FORMS, IMAGE, INFO, ROS1, ROS2, shown, stream, write

from ar_camera.sources import open_source


def swapped(messages: list[tuple[str, str, int, Any]], form: str) -> list[tuple[str, str, int, Any]]:
    """The same, with the types of its two topics exchanged."""
    store = ROS1 if form == "ros1" else ROS2
    serialize: Callable[..., Any] = store.serialize_ros1 if form == "ros1" else store.serialize_cdr
    other = {IMAGE: INFO, INFO: IMAGE}
    return [(topic, other[kind], ns, bytes(serialize(m, kind))) for topic, kind, ns, m in messages]


@pytest.mark.timeout(300)  # a hang must not hold up everything; the whole takes seconds
@pytest.mark.parametrize(("form", "number"), [("mcap", 70), ("sqlite3", 70), ("ros1", 60)])
def test_mutated_bags_are_shown_or_refused_in_words(tmp_path: Path, form: str, number: int) -> None:
    rng = random.Random(64)
    whole = write(tmp_path / "bag", form, stream(form, 8))
    file = whole if whole.is_file() else next(f for f in whole.iterdir() if f.name != "metadata.yaml")
    original, read, said = file.read_bytes(), 0, []
    for _ in range(number):
        file.write_bytes(mutated(original, rng))
        try:
            source, pictures = shown(whole)
        except ValueError as error:
            said.append(str(error))
            continue
        read += 1
        assert all(p.image.dtype == np.uint8 and p.image.ndim == 3 for p in pictures)
        assert all(b.seconds > a.seconds for a, b in itertools.pairwise(pictures))
        assert all("\n" not in notice for notice in source.notices)
    assert read > 0
    assert said
    assert all(str(whole) in line and "\n" not in line for line in said)


@pytest.mark.parametrize("form", FORMS)
def test_swapped_types_are_refused_in_one_line(tmp_path: Path, form: str) -> None:
    bag = write(tmp_path / "bag", form, swapped(stream(form), form))
    with pytest.raises(ValueError, match="none of its pictures can be read") as refused:
        open_source(str(bag))
    assert "\n" not in str(refused.value)
    assert str(bag) in str(refused.value)
