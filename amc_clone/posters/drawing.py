"""Shapes as SVG text. A poster is 600 by 900, its origin top left; colours are SVG's."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TypeAlias

WIDTH = 600
HEIGHT = 900

Point: TypeAlias = tuple[float, float]


def sheet(ground: str, *shapes: str) -> str:
    """A whole poster. It uses attributes alone, so that a strict CSP has nothing to forbid."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f"{rect(0, 0, WIDTH, HEIGHT, ground)}{''.join(shapes)}</svg>"
    )


def number(value: float) -> str:
    """A coordinate with at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def rect(x: float, y: float, width: float, height: float, fill: str, turn: float = 0) -> str:
    """A rectangle, turned by *turn* degrees around its middle."""
    around = (
        f' transform="rotate({number(turn)} {number(x + width / 2)} {number(y + height / 2)})"'
        if turn
        else ""
    )
    return (
        f'<rect x="{number(x)}" y="{number(y)}" width="{number(width)}" '
        f'height="{number(height)}" fill="{fill}"{around}/>'
    )


def disc(x: float, y: float, radius: float, fill: str) -> str:
    """A filled circle."""
    return f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(radius)}" fill="{fill}"/>'


def ring(x: float, y: float, radius: float, colour: str, thickness: float) -> str:
    """A circle's line."""
    return (
        f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(radius)}" fill="none" '
        f'stroke="{colour}" stroke-width="{number(thickness)}"/>'
    )


def ellipse(x: float, y: float, across: float, down: float, fill: str) -> str:
    """A filled ellipse of the radii *across* and *down*."""
    return (
        f'<ellipse cx="{number(x)}" cy="{number(y)}" rx="{number(across)}" '
        f'ry="{number(down)}" fill="{fill}"/>'
    )


def polygon(points: Sequence[Point], fill: str) -> str:
    """A filled polygon."""
    corners = " ".join(f"{number(x)},{number(y)}" for x, y in points)
    return f'<polygon points="{corners}" fill="{fill}"/>'


def line(start: Point, end: Point, colour: str, thickness: float) -> str:
    """A straight line with flat ends."""
    return (
        f'<line x1="{number(start[0])}" y1="{number(start[1])}" x2="{number(end[0])}" '
        f'y2="{number(end[1])}" stroke="{colour}" stroke-width="{number(thickness)}"/>'
    )


def shape(outline: str, fill: str) -> str:
    """A filled path (SVG 2, 9.3)."""
    return f'<path d="{outline}" fill="{fill}"/>'


def stroke(outline: str, colour: str, thickness: float) -> str:
    """A path's line with round ends and corners."""
    return (
        f'<path d="{outline}" fill="none" stroke="{colour}" stroke-width="{number(thickness)}" '
        'stroke-linecap="round" stroke-linejoin="round"/>'
    )


def group(shapes: Iterable[str], transform: str) -> str:
    """Shapes moved together."""
    return f'<g transform="{transform}">{"".join(shapes)}</g>'


def faded(shapes: Iterable[str], opacity: float) -> str:
    """Shapes that let the ground through."""
    return f'<g opacity="{number(opacity)}">{"".join(shapes)}</g>'


def polar(x: float, y: float, radius: float, degrees: float) -> Point:
    """The point at *radius* from (x, y); 0 degrees is up, and they grow clockwise."""
    angle = math.radians(degrees - 90)
    return x + radius * math.cos(angle), y + radius * math.sin(angle)


def rays(
    x: float, y: float, radius: float, count: int, fill: str, share: float = 0.5, first: float = 0
) -> str:
    """A sunburst: *count* wedges that fill *share* of the circle, the first at *first* degrees."""
    step = 360 / count
    wedges = (
        polygon(
            [
                (x, y),
                polar(x, y, radius, first + index * step),
                polar(x, y, radius, first + index * step + step * share),
            ],
            fill,
        )
        for index in range(count)
    )
    return "".join(wedges)


def spiral(x: float, y: float, radius: float, turns: float, squash: float = 1.0) -> str:
    """Outline of a spiral from the middle out; *squash* flattens it."""
    steps = int(turns * 36)
    points = []
    for step in range(steps + 1):
        across, down = polar(0, 0, radius * step / steps, step * 10)
        points.append(f"{number(x + across)} {number(y + down * squash)}")
    return f"M{' L'.join(points)}"
