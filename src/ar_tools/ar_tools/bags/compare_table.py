"""A comparison for the terminal, and the command that prints it."""

from __future__ import annotations

import sys
from pathlib import Path

from ar_tools.bags.compare import Comparison, TopicResult, compare, seconds
from ar_tools.bags.differences import METRICS
from ar_tools.bags.model import BagError

HEADINGS = ("topic", "bag 1", "bag 2", "equal", "differ", "Hz", "delay ms", "worst", "first difference")


def table(comparison: Comparison) -> str:
    """The result for the terminal; a dot marks what does not decide."""
    rows = [HEADINGS] + [(("" if t.decides else "·") + t.name, *cells(t)) for t in comparison.topics]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADINGS))]
    left = {0, 7, 8}
    lines = []
    for row in rows:
        padded = (c.ljust(w) if i in left else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
        lines.append("  ".join(padded).rstrip())
    lines += [f"{t.name}: {failure}" for t in comparison.topics for failure in t.failures]
    return "\n".join([*lines, verdict(comparison)])


def cells(t: TopicResult) -> tuple[str, ...]:
    """The table's columns behind the name."""
    one, other = t.sides
    delays = [f"{side.delay_ms:.0f}" if side.delay_ms is not None else "-" for side in t.sides]
    first = t.type_text
    if not first and t.first is not None:
        key, text = t.first
        first = f"{seconds(key.stamp) if key.stamp else f'message {key.number}'}: {text}"
    return (
        str(len(one.digests)),
        str(len(other.digests)),
        str(t.equal),
        str(len(t.differences)),
        f"{one.rate:.1f}/{other.rate:.1f}",
        "/".join(delays),
        worst_text(t),
        first,
    )


def worst_text(t: TopicResult) -> str:
    """The worst values of the metrics of a topic."""
    values = [(metric, t.worst(metric)) for metric in METRICS]
    return ", ".join(f"{metric} {value:.4g}" for metric, value in values if value is not None)


def verdict(comparison: Comparison) -> str:
    """One line: identical or not, and where it begins."""
    others = [t.name for t in comparison.topics if not t.decides and not t.same]
    note = f" (not counted, and different: {', '.join(others)})" if others else ""
    if comparison.identical:
        return f"identical{note}"
    failed = [t.name for t in comparison.topics if t.failures]
    text = f"required, and missing or incomplete: {', '.join(failed)}; " if failed else ""
    first = comparison.first
    if first is not None:
        t, key, what = first
        text += f"first difference: {t.name} at {seconds(key.stamp)}: {what}"
    return f"different: {text.removesuffix('; ')}{note}"


def main(path1: Path, path2: Path, required: str, html: Path | None) -> int:
    """The command: 0 identical, 1 different, 2 if that cannot be told."""
    try:
        result = compare(path1, path2, [name.strip() for name in required.split(",") if name.strip()])
        print(table(result))
        if html is not None:
            from ar_tools.bags.compare_html import write

            print(f"report: {write(result, html)}")
    except (BagError, OSError) as error:
        print(f"tsukumo: {error}", file=sys.stderr)
        return 2
    return 0 if result.identical else 1
