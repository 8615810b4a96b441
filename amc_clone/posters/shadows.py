"""Posters of the films of shadow: Weimar and the opera's cellars."""

from __future__ import annotations

from amc_clone.posters.drawing import (
    disc,
    ellipse,
    faded,
    group,
    line,
    polar,
    polygon,
    rays,
    rect,
    shape,
    sheet,
    spiral,
    stroke,
)
from amc_clone.posters.lettering import lettering


def nosferatu() -> str:
    """A shadow with long fingers climbs the stairs."""
    wall, shade, bone, blood = "#b9c4a2", "#10150f", "#eef0dc", "#9c1c1c"
    steps = [
        polygon(
            [(600, 430 + i * 58), (600, 900), (120 - i * 40, 900), (520 - i * 78, 430 + i * 58)],
            ("#7f8d6c", "#94a27f")[i % 2],
        )
        for i in range(6)
    ]
    fingers = [
        stroke("M150 500Q210 430 236 340", shade, 13),
        stroke("M150 500Q240 450 284 372", shade, 13),
        stroke("M150 500Q250 480 312 420", shade, 13),
        stroke("M150 500Q240 520 314 478", shade, 12),
        stroke("M150 500Q170 430 176 366", shade, 11),
    ]
    return sheet(
        wall,
        disc(420, 200, 130, bone),
        *steps,
        shape(
            "M196 900Q222 580 250 440Q266 356 326 326Q340 300 336 272Q304 244 304 190"
            "L272 138L316 158Q338 112 370 112Q402 112 424 158L468 138L436 190Q436 244 404 272"
            "Q400 300 414 326Q474 356 484 440Q508 600 500 900Z",
            shade,
        ),
        disc(348, 194, 7, bone),
        disc(392, 194, 7, bone),
        polygon([(359, 238), (367, 238), (363, 262)], bone),
        polygon([(373, 238), (381, 238), (377, 262)], bone),
        group(fingers, "translate(-50 -40) rotate(-40 150 500)"),
        stroke("M282 420Q236 560 170 560Q120 556 100 462", shade, 30),
        rect(0, 770, 600, 130, shade),
        lettering("Nosferatu", 44, 804, 512, blood, weight=0.17, spacing=0.24),
    )


def metropolis() -> str:
    """A city of towers, and the rings that bring a machine to life."""
    ink, gold, copper, light, deep = "#14110f", "#e8b04a", "#b5602b", "#fbe3ae", "#3a2418"
    towers = [
        polygon(
            [(300 + side * near, top), (300 + side * far, top + 26), (300 + side * far, 900),
             (300 + side * near, 900)],
            colour,
        )
        for near, far, top, colour in (
            (236, 330, 250, deep), (168, 250, 330, copper), (104, 176, 420, deep),
        )
        for side in (-1, 1)
    ]  # fmt: skip
    lit = [
        rect(300 + side * (118 + i * 18) - 4, 470 + j * 30, 8, 16, gold)
        for side in (-1, 1)
        for i in range(3)
        for j in range(9)
        if (i + j * 2) % 3
    ]
    face = [
        shape("M-66 -60Q-66 -128 0 -128Q66 -128 66 -60V14Q56 92 0 106Q-56 92 -66 14Z", gold),
        shape("M0 -128Q66 -128 66 -60V14Q56 92 0 106Z", copper),
        polygon([(-48, -30), (-12, -24), (-12, -12), (-46, -14)], ink),
        polygon([(48, -30), (12, -24), (12, -12), (46, -14)], ink),
        polygon([(0, -30), (12, 34), (-12, 34)], ink),
        rect(-24, 56, 48, 8, ink),
        rect(-6, -150, 12, 70, light),
        rect(-86, -46, 16, 60, light),
        rect(70, -46, 16, 60, light),
    ]
    return sheet(
        ink,
        faded([rays(300, 250, 720, 28, gold, 0.34, -2)], 0.28),
        *towers,
        *lit,
        polygon([(246, 480), (354, 480), (376, 900), (224, 900)], copper),
        polygon([(300, 480), (354, 480), (376, 900), (300, 900)], deep),
        *(
            f'<ellipse cx="300" cy="{250 + i * 62}" rx="{170 - abs(i) * 16}" '
            f'ry="{30 - abs(i) * 2}" fill="none" stroke="{light}" stroke-width="5"/>'
            for i in (-2, 2)
        ),
        group(face, "translate(300 262) scale(1.25)"),
        f'<path d="M136 270A170 34 0 0 0 464 270" fill="none" stroke="{light}" stroke-width="5"/>',
        rect(0, 770, 600, 130, ink),
        rect(44, 770, 512, 6, gold),
        lettering("Metropolis", 44, 808, 512, gold, weight=0.15, spacing=0.26),
    )


def the_cabinet_of_dr_caligari() -> str:
    """A street that leans, and a sleeper who walks along it."""
    paper, ink, ochre, violet, rust = "#efe2c4", "#1a1420", "#d99a2b", "#4b2c5e", "#a8401f"
    spokes = [
        line((300, 330), polar(300, 330, 700, 8 + i * 24 + (i % 3) * 7), ink, 3) for i in range(15)
    ]
    houses = [
        polygon([(0, 120), (150, 40), (196, 560), (118, 900), (0, 900)], violet),
        polygon([(0, 40), (90, 96), (150, 40), (62, -30), (0, -20)], ink),
        polygon([(600, 60), (452, 150), (396, 540), (486, 900), (600, 900)], rust),
        polygon([(452, 150), (600, 60), (600, -10), (500, 20)], ink),
        polygon([(40, 190), (112, 168), (124, 268), (30, 262)], ochre),
        polygon([(64, 340), (140, 330), (128, 440), (84, 426)], ochre),
        polygon([(500, 220), (572, 180), (562, 290), (490, 296)], ochre),
        polygon([(452, 372), (520, 350), (536, 452), (440, 440)], ochre),
        line((78, 178), (76, 266), ink, 5),
        line((104, 336), (106, 434), ink, 5),
        line((536, 200), (526, 294), ink, 5),
        line((486, 360), (488, 446), ink, 5),
    ]
    sleeper = [
        polygon([(-26, -60), (26, -64), (44, 190), (8, 200), (0, 90), (-10, 200), (-44, 194)], ink),
        stroke("M-20 -44L-96 -6L-148 -58M20 -46L84 10L66 66", ink, 15),
        ellipse(0, -98, 25, 34, paper),
        shape("M-28 -100Q-34 -150 2 -146Q36 -146 28 -96Q20 -124 0 -120Q-20 -124 -28 -100Z", ink),
        polygon([(-17, -104), (-4, -100), (-11, -84)], ink),
        polygon([(17, -104), (4, -100), (11, -84)], ink),
    ]
    return sheet(
        ochre,
        polygon([(196, 900), (186, 540), (300, 330), (404, 540), (430, 900)], paper),
        *spokes,
        stroke(spiral(300, 170, 118, 3.4), paper, 12),
        *houses,
        group(sleeper, "translate(300 540) rotate(4)"),
        polygon([(0, 752), (600, 724), (600, 900), (0, 900)], ink),
        lettering("The Cabinet of", 44, 770, 300, ochre, weight=0.16),
        lettering("Dr. Caligari", 44, 818, 512, paper, weight=0.17, spacing=0.24),
    )


def the_phantom_of_the_opera() -> str:
    """Half a mask between the curtains."""
    wine, red, black, gold = "#5a0c18", "#a3172a", "#120608", "#d8a441"
    ivory, dusk = "#f8efe0", "#d9c9b2"
    folds = [
        shape(
            f"M{x} 0Q{x + bend} 360 {x + bend * 2.2:.0f} 900H{x + bend * 2.2 + 52:.0f}"
            f"Q{x + 52 + bend} 360 {x + 44} 0Z",
            colour,
        )
        for x, bend, colour in (
            (-20, -14, red), (24, -18, wine), (68, -24, red), (112, -32, wine), (150, -44, red),
            (540, 14, red), (496, 18, wine), (452, 24, red), (408, 32, wine), (370, 44, red),
        )
    ]  # fmt: skip
    candle = [rect(-9, 0, 18, 74, ivory), shape("M0 -44Q22 -8 0 0Q-22 -8 0 -44Z", gold)]
    return sheet(
        black,
        *folds,
        shape(
            "M300 210Q440 200 446 356Q448 470 396 560Q366 616 336 622L322 560Q352 530 344 500"
            "L300 480Z",
            ivory,
        ),
        shape("M300 210Q440 200 446 356Q448 470 396 560Q420 440 396 340Q372 238 300 210Z", dusk),
        shape("M326 366Q372 330 414 366Q376 396 326 366Z", black),
        disc(370, 364, 9, gold),
        stroke("M318 322Q366 284 424 322", black, 9),
        shape("M300 210Q160 200 154 356Q154 450 188 530Q222 600 264 622L278 560Q254 530 258 500"
              "L300 480Z", "#1f0c10"),
        disc(232, 364, 8, red),
        group(candle, "translate(120 640)"),
        group(candle, "translate(480 640)"),
        group(candle, "translate(170 672) scale(.8)"),
        group(candle, "translate(430 672) scale(.8)"),
        rect(0, 714, 600, 186, black),
        rect(44, 730, 512, 4, gold),
        lettering("The Phantom", 44, 756, 512, ivory, weight=0.15),
        lettering("of the Opera", 44, 830, 512, gold, weight=0.15, height=34),
    )  # fmt: skip
