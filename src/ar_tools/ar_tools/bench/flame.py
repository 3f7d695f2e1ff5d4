"""Flame graphs of folded stacks, as ``ar_core.profiler`` leaves them: one SVG a file, titles tell what is too narrow to read.

A line of a folded file is ``outermost;…;innermost MICROSECONDS``.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

WIDTH, ROW, MARGIN, LEAST = 1400.0, 17, 28, 0.3
CHARACTER = 6.6  # pixels


@dataclass
class Node:
    """A function under those that called it: microseconds with and without what it called."""

    total: int = 0
    below: dict[str, Node] = field(default_factory=dict)

    def add(self, path: list[str], amount: int) -> None:
        """Count a stack."""
        self.total += amount
        if path:
            self.below.setdefault(path[0], Node()).add(path[1:], amount)

    def depth(self) -> int:
        """Of the deepest stack."""
        return 1 + max((node.depth() for node in self.below.values()), default=0)


def draw_all(folder: Path) -> list[Path]:
    """Draw every ``*.folded`` of a folder; the pictures."""
    out = []
    for file in sorted(folder.glob("*.folded")):
        picture = file.with_suffix(".svg")
        picture.write_text(draw(file.read_text(), file.stem))
        out.append(picture)
    return out


def draw(folded: str, title: str) -> str:
    """The SVG of folded stacks."""
    root = Node()
    for line in folded.splitlines():
        stack, _, amount = line.rpartition(" ")
        if stack:
            root.add(stack.split(";"), int(amount))
    height = (root.depth() - 1) * ROW + 2 * MARGIN
    shapes: list[str] = []
    x = 0.0
    scale = WIDTH / max(1, root.total)
    for name, node in sorted(root.below.items()):
        _rectangles(name, node, x, 0, height - MARGIN, scale, root.total, shapes)
        x += node.total * scale
    heading = f"{title}: {root.total / 1e6:.2f} s of CPU; width is CPU time, callers are below what they call"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {height}" width="{WIDTH:g}" height="{height}" '
        f'font-family="monospace" font-size="11">\n<rect width="100%" height="100%" fill="#fffdf6"/>\n'
        f'<text x="6" y="18" font-size="13">{escape(heading)}</text>\n' + "\n".join(shapes) + "\n</svg>\n"
    )


def _rectangles(
    name: str, node: Node, x: float, level: int, bottom: int, scale: float, total: int, shapes: list[str]
) -> None:
    width = node.total * scale
    if width < LEAST:
        return
    y = bottom - (level + 1) * ROW
    told = f"{name}: {node.total / 1e3:.1f} ms, {100 * node.total / total:.1f} %"
    room = int(width / CHARACTER) - 1
    text = ""
    if room >= 3:
        shown = name if len(name) <= room else name[: room - 2] + ".."
        text = f'<text x="{x + 3:.1f}" y="{y + 12}">{escape(shown)}</text>'
    shapes.append(
        f'<g><title>{escape(told)}</title><rect x="{x:.1f}" y="{y}" width="{max(width - 0.4, 0.2):.1f}" '
        f'height={quoteattr(str(ROW - 1))} fill={quoteattr(_colour(name))} rx="1"/>{text}</g>'
    )
    for inner, below in sorted(node.below.items()):
        _rectangles(inner, below, x, level + 1, bottom, scale, total, shapes)
        x += below.total * scale


def _colour(name: str) -> str:
    """The same for the same function in every picture."""
    seed = zlib.crc32(name.encode())
    return f"hsl({seed % 50 + 5}, {65 + seed // 64 % 25}%, {68 + seed // 4096 % 14}%)"
