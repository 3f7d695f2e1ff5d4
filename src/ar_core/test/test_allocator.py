"""What large work took is given back."""

import os
import subprocess
import sys

import pytest

from ar_core.allocator import thrifty

# 400 pieces that are too small to be mapped one by one, every tenth kept: the heap cannot simply shrink.
WORK = """
import resource
import numpy as np
from ar_core.allocator import give_back_now_and_then, thrifty

def own_mb():
    fields = open("/proc/self/statm").read().split()
    return (int(fields[1]) - int(fields[2])) * resource.getpagesize() / 1e6

def work():
    pieces = [np.ones(100_000, np.uint8) for _ in range(400)]
    return pieces[::10], own_mb()

before = own_mb()
{what}
print(most - before, own_mb() - before)
"""


def taken_mb(what: str) -> list[float]:
    """Memory that a process of its own takes while it works, and has afterwards, beyond what it had before."""
    keeping = {"MALLOC_TRIM_THRESHOLD_": str(2**27), "MALLOC_MMAP_THRESHOLD_": str(2**25)}  # as in a graph
    line = [sys.executable, "-c", WORK.format(what=what)]
    done = subprocess.run(line, env={**os.environ, **keeping}, check=True, capture_output=True, text=True)
    return [float(word) for word in done.stdout.split()]


def test_what_work_took_is_kept_unless_it_is_given_back() -> None:
    most, afterwards = taken_mb("kept, most = work()")
    assert most == pytest.approx(40, abs=4)
    assert afterwards > 36


def test_seldom_work_gives_back_at_once() -> None:
    most, afterwards = taken_mb("kept, most = thrifty(work)")
    assert most == pytest.approx(40, abs=4)
    assert afterwards == pytest.approx(4, abs=3)


def test_a_process_gives_back_now_and_then() -> None:
    _, afterwards = taken_mb("kept, most = work(); give_back_now_and_then()")
    assert afterwards == pytest.approx(4, abs=3)
    _, afterwards = taken_mb("give_back_now_and_then(); kept, most = work(); give_back_now_and_then()")
    assert afterwards > 36  # not so soon again


def test_results_and_errors_pass_through() -> None:
    assert thrifty(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        thrifty(divmod, 7, 0)
