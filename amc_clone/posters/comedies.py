"""Posters of the silent comedies."""

from __future__ import annotations

from amc_clone.posters.drawing import (
    disc,
    ellipse,
    group,
    line,
    polar,
    polygon,
    rays,
    rect,
    ring,
    shape,
    sheet,
    spiral,
    stroke,
)
from amc_clone.posters.lettering import lettering


def the_general() -> str:
    """A locomotive comes head-on out of its own smoke."""
    paper, ink, red, brass, smoke = "#f2e6cf", "#16233b", "#c8371f", "#e0a031", "#d9c8a6"
    puffs = [(300, 60, 150), (150, 140, 110), (450, 150, 120), (300, 210, 130), (235, 300, 75)]
    rails = [
        polygon([(250, 720), (262, 720), (60, 900), (10, 900)], ink),
        polygon([(338, 720), (350, 720), (590, 900), (540, 900)], ink),
        *(rect(250 - i * 42, 742 + i * i * 9, 100 + i * 84, 6 + i * 3, ink) for i in range(5)),
    ]
    bars = [polygon([(300, 560), (120 + i * 45, 728), (146 + i * 45, 728)], red) for i in range(8)]
    return sheet(
        paper,
        *(disc(x, y, radius, smoke) for x, y, radius in puffs),
        *rails,
        polygon([(262, 300), (338, 300), (322, 380), (278, 380)], ink),
        rect(246, 288, 108, 20, ink),
        disc(300, 500, 172, ink),
        ring(300, 500, 146, brass, 8),
        disc(300, 500, 104, red),
        *(disc(*polar(300, 500, 124, i * 30), 6, paper) for i in range(12)),
        disc(300, 500, 40, ink),
        disc(300, 500, 18, brass),
        disc(300, 372, 46, brass),
        disc(300, 372, 30, paper),
        rect(96, 560, 408, 34, ink),
        *bars,
        rect(104, 720, 392, 16, ink),
        rect(0, 780, 600, 120, ink),
        lettering("The General", 44, 814, 512, paper, weight=0.17),
    )


def sherlock_jr() -> str:
    """A projectionist's beam, and a magnifying glass that looks back."""
    night, mustard, cream, teal, red = "#12262b", "#e5b13a", "#f6ecd6", "#2f8f8b", "#d2492a"
    holes = [rect(28, 40 + i * 62, 26, 36, night) for i in range(14)]
    return sheet(
        night,
        rect(0, 0, 82, 900, cream),
        *holes,
        polygon([(82, 900), (82, 820), (560, 90), (560, 640)], mustard),
        stroke("M412 528L520 700", cream, 46),
        stroke("M412 528L520 700", red, 26),
        disc(330, 390, 178, cream),
        disc(330, 390, 150, teal),
        shape("M190 390Q330 250 470 390Q330 530 190 390Z", cream),
        disc(330, 390, 66, night),
        disc(330, 390, 26, mustard),
        disc(352, 366, 13, cream),
        rect(82, 780, 518, 120, night),
        lettering("Sherlock Jr.", 118, 812, 438, cream, weight=0.17),
    )


def one_week() -> str:
    """A house put up from the wrong numbers, and the seven days that it took."""
    sky, cream, red, ink, yellow = "#8fc7d9", "#fbf3e0", "#d8432e", "#1d2f4a", "#f4bf3f"
    days = [
        group(
            [rect(0, 0, 58, 58, cream if i < 6 else red), rect(0, 0, 58, 12, ink)],
            f"translate({44 + i * 75.7:.1f} 716) rotate({(-4, 3, -2, 5, -6, 2, 9)[i]} 29 29)",
        )
        for i in range(7)
    ]
    house = [
        polygon([(-190, 0), (180, -24), (206, 250), (-160, 262)], cream),
        polygon([(-250, 10), (-20, -190), (226, -40)], red),
        polygon([(-20, -190), (226, -40), (150, -36)], ink),
        rect(-130, 60, 84, 96, ink, 9),
        rect(-120, 70, 64, 34, yellow, 9),
        rect(50, 20, 92, 78, ink, -14),
        rect(58, 28, 76, 26, yellow, -14),
        polygon([(20, 262), (30, 130), (104, 138), (96, 258)], red),
        disc(86, 200, 6, yellow),
        rect(88, -218, 44, 110, ink, 13),
        rect(-206, 250, 440, 16, ink, -2),
    ]
    return sheet(
        sky,
        disc(468, 130, 74, yellow),
        ellipse(120, 180, 96, 26, cream),
        ellipse(180, 160, 66, 30, cream),
        shape("M0 640Q300 560 600 650V900H0Z", "#4f8f5f"),
        group(house, "translate(304 380) rotate(-7)"),
        *days,
        lettering("One", 44, 56, 178, ink, weight=0.2),
        lettering("Week", 44, 800, 512, cream, weight=0.2, height=64),
    )


def steamboat_bill_jr() -> str:
    """The front of a house comes down, and a man stands where its window is."""
    storm, paper, brick, ink, foam = "#1f5c66", "#f4ead5", "#c9502f", "#10242b", "#8fc1b5"
    swirl = [
        stroke(spiral(300, 190, 120 + i * 96, 3.2 - i * 0.5, 0.32), foam, 9 - i * 2)
        for i in range(3)
    ]
    boards = [line((-210, y), (210, y), "#a83f22", 4) for y in range(-180, 260, 34)]
    front = [
        polygon([(-230, 262), (230, 262), (230, -190), (0, -330), (-230, -190)], brick),
        *boards,
        rect(-74, -128, 148, 190, paper),
        rect(-58, -112, 116, 158, storm),
        rect(-190, 90, 90, 172, ink),
        rect(100, 110, 92, 100, paper),
        rect(112, 122, 68, 76, ink),
    ]
    man = [
        ellipse(0, -96, 22, 7, ink),
        rect(-14, -112, 28, 16, ink),
        disc(0, -80, 15, paper),
        rect(-16, -64, 32, 62, ink),
        rect(-15, -4, 12, 52, ink),
        rect(3, -4, 12, 52, ink),
    ]
    return sheet(
        storm,
        *swirl,
        group(front, "translate(300 470) skewX(-9) scale(.94 .9)"),
        rect(0, 704, 600, 196, ink),
        group(man, "translate(306 472) scale(1.3)"),
        stroke("M0 716Q50 694 100 716T200 716T300 716T400 716T500 716T600 716", foam, 8),
        lettering("Steamboat", 44, 756, 512, paper, weight=0.18),
        lettering("Bill, Jr.", 44, 832, 250, foam, weight=0.2),
    )


def safety_last() -> str:
    """A man hangs from the hand of a clock above the city."""
    sun, ink, red, cream = "#f3b72f", "#1b1a1f", "#d63b25", "#fdf4dd"
    towers = [(0, 640, 90), (96, 560, 84), (392, 600, 100), (500, 500, 100), (188, 690, 190)]
    windows = [
        rect(x + 14 + i * 24, y + 20 + j * 34, 12, 18, sun)
        for x, y, width in towers
        for i in range(int((width - 20) // 24))
        for j in range(int((880 - y) // 34))
        if (i * 7 + j * 3 + int(x)) % 4
    ]
    hours = [
        line(polar(300, 330, 192, i * 30), polar(300, 330, 222, i * 30), ink, 16 if i % 3 else 26)
        for i in range(12)
    ]
    hand = polar(300, 330, 172, 112)
    man = [
        stroke("M-4 -2L-24 40L-12 66M6 -2L30 38L18 66", ink, 10),
        disc(3, 40, 16, cream),
        ellipse(3, 28, 27, 5, red),
        rect(-11, 12, 28, 16, red),
        stroke("M3 74L1 120", ink, 32),
        stroke("M-6 126L-32 172L-24 206M8 126L34 164L64 170", ink, 14),
    ]
    return sheet(
        sun,
        rays(300, 330, 640, 20, "#f7c650", first=9),
        *(rect(x, y, width, 900 - y, ink) for x, y, width in towers),
        *windows,
        disc(300, 330, 262, ink),
        disc(300, 330, 240, cream),
        *hours,
        line((300, 330), polar(300, 330, 118, 318), ink, 22),
        line(polar(300, 330, 40, 292), hand, red, 14),
        disc(300, 330, 20, red),
        group(man, f"translate({hand[0] - 6:.1f} {hand[1]:.1f})"),
        rect(0, 770, 600, 130, red),
        lettering("Safety Last!", 44, 802, 512, cream, weight=0.18, spacing=0.26),
    )


def the_gold_rush() -> str:
    """A cabin tips over the edge in the snow."""
    night, gold, snow, ice, ink = "#15294d", "#f0b429", "#f7f4ec", "#a9c4dd", "#0c1730"
    flakes = [
        disc((i * 137) % 600, (i * 211) % 620 + 20, 2.5 + i % 3 * 1.5, snow) for i in range(60)
    ]
    cabin = [
        polygon([(-130, 0), (130, 0), (130, 116), (-130, 116)], "#6b3f22"),
        *(rect(-130, y, 260, 5, "#4c2b16") for y in range(20, 116, 24)),
        polygon([(-166, 6), (0, -92), (166, 6)], ink),
        polygon([(-166, 6), (0, -92), (166, 6), (146, 6), (0, -72), (-146, 6)], snow),
        rect(-92, 34, 58, 50, gold),
        rect(-66, 34, 6, 50, ink),
        rect(34, 26, 54, 90, ink),
        rect(70, -100, 30, 66, ink),
    ]
    return sheet(
        night,
        disc(300, 300, 206, gold),
        polygon([(-60, 640), (170, 250), (250, 372), (310, 300), (420, 480), (340, 640)], ice),
        polygon([(170, 250), (250, 372), (214, 360), (186, 404), (150, 350), (104, 362)], snow),
        *flakes,
        shape("M0 560L150 540L330 566L372 612L352 900H0Z", snow),
        shape("M330 566L372 612L352 900H306L322 700Z", ice),
        group(cabin, "translate(330 446) rotate(15)"),
        lettering("The Gold", 44, 690, 250, ink, weight=0.17),
        lettering("Rush", 44, 758, 250, night, weight=0.24),
    )
