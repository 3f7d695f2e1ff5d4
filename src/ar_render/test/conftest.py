"""OpenGL contexts for the tests; errors are asked for before and after each."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

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
