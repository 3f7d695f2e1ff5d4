"""The report of a comparison: one HTML file that needs nothing else, plots as SVG, pictures as PNG inside."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ar_tools.bags.compare import Comparison, Difference, TopicResult, seconds
from ar_tools.bags.compare_table import HEADINGS, cells, verdict
from ar_tools.bags.decode import Decoder, picture
from ar_tools.bags.differences import METRICS, SMALLER_IS_WORSE
from ar_tools.bags.reader import Bag

WIDTH, HEIGHT, MARGIN = 460, 120, 44
COLOURS = ("#1565c0", "#ef6c00")
STYLE = """body{font:14px system-ui,sans-serif;margin:1.5rem;max-width:96rem;color:#212121}
table{border-collapse:collapse}td,th{padding:.15rem .6rem;border-bottom:1px solid #ddd;text-align:left;vertical-align:top}
td.n{text-align:right;font-variant-numeric:tabular-nums}.bad{background:#fff3e0}.quiet{color:#757575}
h1 small{font-weight:normal}figure{display:inline-block;margin:.4rem .8rem .4rem 0}img{max-width:27rem;display:block}
figcaption{font-size:12px;color:#616161}svg{background:#fafafa}.overflow{overflow-x:auto}"""


def write(comparison: Comparison, folder: Path) -> Path:
    """Write ``index.html`` into the folder and name it; OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    one, other = (html.escape(str(path)) for path in comparison.paths)
    parts = [
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{one} and {other}</title><style>{STYLE}</style>",
        f"<h1>{'Identical' if comparison.identical else 'Different'}</h1>",
        f"<p>bag 1: <code>{one}</code> ({comparison.frames[0]} input frames)<br>",
        f"bag 2: <code>{other}</code> ({comparison.frames[1]} input frames)</p>",
        f"<p>{html.escape(verdict(comparison))}</p>",
        _table(comparison.topics),
        "<p class='quiet'>Grey topics do not decide. Delay: median of log time minus stamp.</p>",
    ]
    with Bag(comparison.paths[0]) as bag1, Bag(comparison.paths[1]) as bag2:
        decoders = (Decoder(bag1.definitions), Decoder(bag2.definitions))
        parts += [_topic(t, decoders) for t in comparison.topics if t.differences or t.failures or any(t.only)]
    parts.append("<h2>Delays</h2><div>")
    parts += [_delays(t) for t in comparison.topics if any(side.delay_ms is not None for side in t.sides)]
    parts.append("</div></html>")
    file = folder / "index.html"
    file.write_text("\n".join(parts))
    return file


def _table(topics: Iterable[TopicResult]) -> str:
    rows = ["<tr>" + "".join(f"<th>{heading}</th>" for heading in HEADINGS) + "</tr>"]
    for t in topics:
        mark = "quiet" if not t.decides else "bad" if t.failures or not t.same else ""
        numbers = "".join(f"<td class='n'>{html.escape(cell)}</td>" for cell in cells(t)[:6])
        words = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells(t)[6:])
        rows.append(f"<tr class='{mark}'><td>{html.escape(t.name)}</td>{numbers}{words}</tr>")
    return "<div class='overflow'><table>" + "\n".join(rows) + "</table></div>"


def _topic(t: TopicResult, decoders: tuple[Decoder, Decoder]) -> str:
    only = t.only
    parts = [f"<h2>{html.escape(t.name)}</h2>", *(f"<p class='bad'>{html.escape(f)}</p>" for f in t.failures)]
    for which, keys in enumerate(only, 1):
        if keys:
            stamps = ", ".join(seconds(key.stamp) for key in sorted(keys)[:5])
            parts.append(f"<p>only in bag {which}: {len(keys)} messages ({stamps}{', …' if len(keys) > 5 else ''})</p>")
    for metric in METRICS:
        points = [(d.key.stamp / 1e9, d.metrics[metric]) for d in t.differences if metric in d.metrics]
        if points:
            parts.append(plot(f"{metric} of the messages that differ", [points]))
    for title, d in _examples(t.differences):
        parts.append(f"<p>{title}, {seconds(d.key.stamp)}: {html.escape(d.text)}</p>")
        parts.append(_side_by_side(t, d, decoders))
    return "\n".join(parts)


def _examples(differences: Sequence[Difference]) -> list[tuple[str, Difference]]:
    """The first difference, and the worst by the metric that applies."""
    if not differences:
        return []
    examples = [("first", differences[0])]
    metric = next((m for m in METRICS if m in differences[0].metrics), None)
    if metric is not None:
        sign = 1 if metric in SMALLER_IS_WORSE else -1
        worst = min((d for d in differences if metric in d.metrics), key=lambda d: sign * d.metrics[metric])
        if worst is not differences[0]:
            examples.append((f"worst {metric}", worst))
    return examples


def _side_by_side(t: TopicResult, d: Difference, decoders: tuple[Decoder, Decoder]) -> str:
    try:
        sides = [picture(decode(t.sides[0].type, data)) for decode, data in zip(decoders, d.data, strict=True)]
    except ValueError:
        return ""
    one, other = (_viewable(side) if side is not None else None for side in sides)
    if one is None or other is None:
        return ""
    figures = [("bag 1", one), ("bag 2", other)]
    if one.shape == other.shape:
        figures.append(("difference, stretched", cv2.normalize(cv2.absdiff(one, other), None, 0, 255, cv2.NORM_MINMAX)))  # type: ignore[call-overload]
    return "".join(f"<figure>{_png(image)}<figcaption>{name}</figcaption></figure>" for name, image in figures)


def _viewable(image: NDArray[Any]) -> NDArray[np.uint8]:
    if image.dtype != np.uint8:
        finite = np.nan_to_num(image.astype(np.float32), posinf=0.0, neginf=0.0)
        image = (finite * (255 / max(float(finite.max()), 1e-9))).clip(0, 255).astype(np.uint8)
    return np.ascontiguousarray(image)


def _png(image: NDArray[np.uint8]) -> str:
    _, data = cv2.imencode(".png", image)
    return f"<img alt='' src='data:image/png;base64,{base64.b64encode(data.tobytes()).decode()}'>"


def _delays(t: TopicResult) -> str:
    return plot(f"{t.name}: log time - stamp, ms", [sorted(side.delays()) for side in t.sides])


def plot(title: str, lines: Sequence[Sequence[tuple[float, float]]]) -> str:
    """A small SVG plot of (x, y) lines, x counted from its smallest value; values that are not finite are left out."""
    lines = [[(x, y) for x, y in line if np.isfinite(x) and np.isfinite(y)] for line in lines]
    points = [point for line in lines for point in line]
    if not points:
        return ""
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    low, high = min(0.0, *(y for _, y in points)), max(y for _, y in points)
    across = (WIDTH - MARGIN - 8) / ((right - left) or 1.0)
    up = (HEIGHT - 24) / ((high - low) or 1.0)
    drawn = []
    for line, colour in zip(lines, COLOURS, strict=False):
        places = [f"{MARGIN + (x - left) * across:.1f},{HEIGHT - 18 - (y - low) * up:.1f}" for x, y in line]
        if len(places) == 1:
            x, y = places[0].split(",")
            drawn.append(f"<circle cx='{x}' cy='{y}' r='2.5' fill='{colour}'/>")
        elif places:
            drawn.append(f"<polyline points='{' '.join(places)}' fill='none' stroke='{colour}' stroke-width='1'/>")
    labels = (
        f"<text x='2' y='14'>{high:.4g}</text><text x='2' y='{HEIGHT - 18}'>{low:.4g}</text>"
        f"<text x='{MARGIN}' y='{HEIGHT - 4}'>0 s</text>"
        f"<text x='{WIDTH - 4}' y='{HEIGHT - 4}' text-anchor='end'>{right - left:.2f} s</text>"
    )
    svg = f"<svg width='{WIDTH}' height='{HEIGHT}' font-size='10' fill='#616161'>{''.join(drawn)}{labels}</svg>"
    return f"<figure>{svg}<figcaption>{html.escape(title)}</figcaption></figure>"
