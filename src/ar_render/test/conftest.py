"""OpenGL contexts for the tests, errors are asked for before and after each; and the node over real topics."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from ar_render import gl
from ar_render.context import Context, NoContextError, create_context


@pytest.fixture(scope="session")
def contexts() -> Iterator[dict[str, Context]]:
    """Desktop GL and GLES; skips by name where there is no OpenGL."""
    made: dict[str, Context] = {}
    try:
        for api in ("gl", "gles"):
            made[api] = create_context(api)  # type: ignore[arg-type]
    except NoContextError as error:
        pytest.skip(f"no OpenGL: {error}")
    yield made
    for context in made.values():
        context.close()


@pytest.fixture
def context(contexts: dict[str, Context]) -> Iterator[Context]:
    """A current desktop context without errors, and without errors afterwards."""
    contexts["gl"].make_current()
    gl.check("before the test")
    yield contexts["gl"]
    contexts["gl"].make_current()
    gl.check("after the test")


@pytest.fixture
def ros(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """ROS in a corner of its own."""
    import rclpy

    monkeypatch.setenv("ROS_DOMAIN_ID", str(1 + os.getpid() % 100))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    rclpy.init()
    yield
    rclpy.try_shutdown()


@pytest.fixture
def bench(ros: None, contexts: dict[str, Context]) -> Iterator[Any]:
    """The node and its peer, see ``node_bench``."""
    from node_bench import Bench

    made = Bench()
    yield made
    made.close()
