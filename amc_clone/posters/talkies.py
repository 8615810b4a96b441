"""Posters of the later films."""

from __future__ import annotations

from amc_clone.posters.drawing import (
    disc,
    ellipse,
    group,
    line,
    polygon,
    rect,
    ring,
    shape,
    sheet,
    stroke,
)
from amc_clone.posters.lettering import lettering


def his_girl_friday() -> str:
    """Two who talk at once, and a telephone between them."""
    rose, cream, red, ink, blue = "#f3b8a5", "#fff6e6", "#d7263d", "#1c1b29", "#2f4b8f"
    columns = [
        rect(44 + column * 178, 640 + row * 20, 156 - (row * 37 + column * 53) % 60, 8, "#d9c6ae")
        for column in range(3)
        for row in range(6)
    ]
    words = [rect(96, 118 + i * 38, (190, 150, 206)[i], 14, cream) for i in range(3)]
    answers = [rect(334, 232 + i * 38, (160, 196, 120)[i], 14, cream) for i in range(3)]
    telephone = [
        ellipse(0, 190, 96, 24, ink),
        polygon([(-16, -40), (16, -40), (26, 190), (-26, 190)], ink),
        polygon([(-16, -40), (-64, -92), (-30, -118), (16, -56)], ink),
        ellipse(-56, -112, 44, 36, ink),
        ellipse(-60, -116, 28, 22, red),
        stroke("M64 -60V60", ink, 26),
        ellipse(64, -70, 32, 20, ink),
        stroke("M64 66Q76 150 20 168", ink, 6),
        stroke("M20 10H64", ink, 9),
    ]
    return sheet(
        rose,
        rect(0, 600, 600, 300, cream),
        *columns,
        shape("M60 74H330V244H170L120 300V244H60Z", red),
        *words,
        shape("M300 190H546V360H500L468 412V360H300Z", blue),
        *answers,
        group(telephone, "translate(300 464)"),
        rect(0, 770, 600, 130, red),
        lettering("His Girl Friday", 44, 806, 512, cream, weight=0.17, spacing=0.24),
    )


def charade() -> str:
    """A stamp that is worth more than it shows."""
    teal, cream, ink = "#0f4c5c", "#fdf3e1", "#1d1d2b"
    wheel = ("#e36414", "#f6bd60", "#9a031e", "#84a59d", "#fb8b24", "#5f0f40", "#f7ede2")
    teeth = [
        disc(x, y, 15, teal)
        for x, y in (
            *((66 + i * 39, 66) for i in range(13)),
            *((66 + i * 39, 654) for i in range(13)),
            *((66, 66 + i * 39.2) for i in range(16)),
            *((534, 66 + i * 39.2) for i in range(16)),
        )
    ]
    rings = [
        disc(300 + (i % 3 - 1) * 9, 360 + (i % 2) * 8 - 4, 198 - i * 28, wheel[i]) for i in range(7)
    ]
    profile = [
        shape(
            "M0 -120Q70 -124 82 -60Q84 -40 78 -26L98 14L80 22L84 44L70 52L74 74Q60 90 24 78"
            "L20 130H-60Q-40 20 -52 -40Q-48 -116 0 -120Z",
            ink,
        ),
    ]
    return sheet(
        teal,
        rect(66, 66, 468, 588, cream),
        *teeth,
        *rings,
        group(profile, "translate(252 384) scale(1.06)"),
        group(
            [shape(
                "M0 -120Q70 -124 82 -60Q84 -40 78 -26L98 14L80 22L84 44L70 52L74 74Q60 90 24 78"
                "L20 130H-60Q-40 20 -52 -40Q-48 -116 0 -120Z", cream)],
            "translate(352 384) scale(-1.06 1.06)",
        ),
        lettering("5c", 450, 104, 44, ink, weight=0.16),
        lettering("Charade", 44, 722, 512, cream, weight=0.16, spacing=0.28),
        line((44, 858), (556, 858), "#fb8b24", 8),
    )  # fmt: skip


def night_of_the_living_dead() -> str:
    """A lit window on a hill, and hands in the field."""
    sky, moon, ink, red, pale = "#2b2f3a", "#e9e4cf", "#0d0e12", "#b3131b", "#6f7a70"
    hand = [
        stroke("M0 180V40", pale, 40),
        stroke("M-18 50L-30 -22", pale, 13),
        stroke("M-6 40L-10 -52", pale, 13),
        stroke("M8 40L12 -50", pale, 13),
        stroke("M20 50L34 -28", pale, 12),
        stroke("M-18 84L-52 44", pale, 13),
    ]
    trees = [
        stroke("M70 560V330M70 420L26 366M70 400L118 336M70 470L124 424", ink, 11),
        stroke("M536 580V380M536 470L578 420M536 450L498 396", ink, 10),
    ]
    house = [
        polygon([(-88, 0), (88, 0), (88, 120), (-88, 120)], ink),
        polygon([(-112, 6), (-40, -78), (40, -78), (112, 6)], ink),
        rect(38, -108, 24, 60, ink),
        rect(-56, 32, 40, 48, "#f2b632"),
        line((-62, 48), (-10, 66), ink, 7),
        line((-60, 72), (-12, 42), ink, 7),
        rect(20, 42, 34, 78, "#23252d"),
    ]
    return sheet(
        sky,
        disc(300, 300, 220, moon),
        ring(300, 300, 246, "#3d424f", 10),
        ring(300, 300, 284, "#343844", 8),
        disc(226, 230, 30, "#d8d2ba"),
        disc(380, 200, 18, "#d8d2ba"),
        disc(356, 356, 24, "#d8d2ba"),
        shape("M0 600Q300 420 600 600V900H0Z", "#16181e"),
        *trees,
        group(house, "translate(300 410)"),
        shape("M0 700Q300 620 600 700V900H0Z", ink),
        group(hand, "translate(104 590) rotate(-10)"),
        group(hand, "translate(232 640) rotate(5) scale(.86)"),
        group(hand, "translate(392 622) rotate(-4) scale(.94)"),
        group(hand, "translate(512 588) rotate(12)"),
        rect(0, 762, 600, 138, ink),
        lettering("Night of the", 44, 772, 290, moon, weight=0.17),
        lettering("Living Dead", 44, 822, 512, red, weight=0.18, spacing=0.25),
    )
