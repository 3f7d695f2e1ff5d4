"""What a character costs: from a cut-out to its complete .glb, CPU milliseconds, for every cut-out of a folder.

    python docs/gallery/cutouts.py FOLDER
    python -m benchmarks.character FOLDER [--profile]

The least of three runs counts for each; printed are the median over the folder and the dearest ones.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import sys
import time
from pathlib import Path

from ar_character.character import build_character
from ar_tools.gallery import find_pictures, read_cutout

HEIGHT, RUNS = 0.10, 3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    cutouts = {path.stem: read_cutout(path) for path in find_pictures(options.folder)}
    build_character(next(iter(cutouts.values())), HEIGHT)  # what is computed once for all
    costs = []
    for name, rgba in cutouts.items():
        least = float("inf")
        for _ in range(RUNS):
            start = time.process_time()
            character = build_character(rgba, HEIGHT)
            least = min(least, time.process_time() - start)
        costs.append((1e3 * least, name, character.triangles))
    costs.sort()
    print(f"median {costs[len(costs) // 2][0]:.0f} ms of {len(costs)} cut-outs")
    for milliseconds, name, triangles in costs[-5:]:
        print(f"{milliseconds:6.0f} ms {name}, {triangles} triangles")
    if options.profile:
        profiler = cProfile.Profile()
        for rgba in cutouts.values():
            profiler.runcall(build_character, rgba, HEIGHT)
        pstats.Stats(profiler).sort_stats("cumulative").print_stats(40)
    return 0


if __name__ == "__main__":
    sys.exit(main())
