"""Growth as a picture: seconds and memory against the number of records, one line a contestant, as SVG text."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

COLOURS = ("#1f6feb", "#d9730d", "#1a7f37", "#8250df", "#bf3989", "#57606a")
INK, GRID, PAPER = "#24292f", "#d8dee4", "#ffffff"  # a background of its own: legible in light and in dark surroundings
WIDTH, HEIGHT = 760, 330
PLOT_WIDTH, PLOT_HEIGHT, TOP = 290, 210, 80
LEFTS = (56, 430)

Place = Callable[[float], float]


@dataclass(frozen=True)
class Point:
    """Seconds and megabytes that a first load of so many records took."""

    records: int
    seconds: float
    megabytes: float


def svg(lines: Mapping[str, Sequence[Point]]) -> str:
    """Two panels side by side: seconds with both axes logarithmic, so that linear growth is a straight line, and MB."""
    points = [point for line in lines.values() for point in line]
    across = _logarithmic([point.records for point in points], 0, PLOT_WIDTH)
    seconds = [point.seconds for point in points]
    top = _round_up(max(point.megabytes for point in points))
    panels = (
        _panel("seconds", lines, across, _logarithmic(seconds, PLOT_HEIGHT, 0), _powers(seconds), _seconds_of),
        _panel("peak memory, MB", lines, across, lambda value: PLOT_HEIGHT * (1 - value / top), _even(top), _mb_of),
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
        f' font-family="system-ui, sans-serif" font-size="12" fill="{INK}" role="img">',
        "<title>Seconds and peak memory of a first load against the number of records</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="{PAPER}"/>',
        *_legend(lines),
        *(f'<g transform="translate({left} {TOP})">{panel}</g>' for left, panel in zip(LEFTS, panels, strict=True)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _seconds_of(point: Point) -> float:
    return point.seconds


def _mb_of(point: Point) -> float:
    return point.megabytes


def _panel(
    title: str,
    lines: Mapping[str, Sequence[Point]],
    across: Place,
    up: Place,
    ticks: Sequence[float],
    value: Callable[[Point], float],
) -> str:
    parts = [f'<text x="-40" y="-16" font-weight="600">{title}</text>']
    for tick in ticks:
        y = up(tick)
        parts.append(f'<line x2="{PLOT_WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="{GRID}"/>')
        parts.append(f'<text x="-8" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for records in sorted({point.records for line in lines.values() for point in line}):
        x = across(records)
        parts.append(f'<text x="{x:.1f}" y="{PLOT_HEIGHT + 20}" text-anchor="middle">{_short(records)}</text>')
    for colour, line in zip(COLOURS, lines.values(), strict=False):
        at = [(across(point.records), up(value(point))) for point in line]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in at]
    parts.append(f'<text x="{PLOT_WIDTH / 2}" y="{PLOT_HEIGHT + 38}" text-anchor="middle">records</text>')
    return "".join(parts)


def _legend(names: Mapping[str, Sequence[Point]]) -> list[str]:
    parts, x = [], LEFTS[0] - 40
    for colour, name in zip(COLOURS, names, strict=False):
        parts.append(f'<rect x="{x}" y="22" width="14" height="4" rx="2" fill="{colour}"/>')
        parts.append(f'<text x="{x + 20}" y="28">{name}</text>')
        x += 40 + 7 * len(name)
    return parts


def _logarithmic(values: Sequence[float], low_at: float, high_at: float) -> Place:
    """Places between two coordinates; the outermost values' powers of ten lie at the ends."""
    low, high = (math.log10(power) for power in (_powers(values)[0], _powers(values)[-1]))
    return lambda value: low_at + (math.log10(value) - low) / (high - low) * (high_at - low_at)


def _powers(values: Sequence[float]) -> list[float]:
    """The powers of ten from the one below all values to the one above; at least two."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return [10.0**power for power in range(low, max(high, low + 1) + 1)]


def _round_up(value: float) -> float:
    step: float = 10.0 ** math.floor(math.log10(value))
    return next(step * factor for factor in (1, 1.2, 1.6, 2, 4, 6, 8, 10) if step * factor >= value)


def _even(top: float) -> list[float]:
    return [top * part / 4 for part in range(5)]


def _short(records: int) -> str:
    return f"{records / 1_000_000:g}M" if records >= 1_000_000 else f"{records / 1_000:g}k"
