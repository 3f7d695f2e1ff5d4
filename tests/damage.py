"""What broken disks do to files."""

from __future__ import annotations

import random


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Bytes as broken disks, cables and programs leave them."""
    broken = bytearray(data)
    at = rng.randrange(len(broken))
    kind = rng.choice(("flip", "flips", "cut", "zeros", "noise", "gone", "twice"))
    if kind == "flip":
        broken[at] ^= 1 << rng.randrange(8)
    elif kind == "flips":
        for _ in range(rng.randrange(2, 200)):
            broken[rng.randrange(len(broken))] ^= 1 << rng.randrange(8)
    elif kind == "cut":
        del broken[at:]
    elif kind == "zeros":
        n = len(broken[at : at + rng.choice((8, 512, 4096, 40_000))])
        broken[at : at + n] = bytes(n)
    elif kind == "noise":
        n = len(broken[at : at + rng.choice((8, 512, 4096))])
        broken[at : at + n] = rng.randbytes(n)
    elif kind == "gone":
        del broken[at : at + rng.randrange(1, 5000)]
    else:
        broken[at:at] = broken[at : at + rng.randrange(1, 5000)]
    return bytes(broken)
