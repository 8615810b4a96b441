"""The pages work by keyboard and screen reader, and show what they should."""

from __future__ import annotations

import re
from importlib import resources

import pytest

from amc_clone.films import FILMS
from tests.amc_clone.cinema import PLACE, Cinema
from tests.amc_clone.pages.reading import Element, check_accessible
from tests.amc_clone.partner import LISTEN_URL


async def page(cinema: Cinema, path: str, status: int = 200, **headers: str) -> Element:
    """A page, checked."""
    async with cinema.client.get(path, headers={"Accept": "text/html"} | headers) as answer:
        assert answer.status == status
        assert answer.content_type == "text/html"
        assert answer.charset == "utf-8"
        return check_accessible(await answer.text())


async def test_the_day_of_a_theater(cinema: Cinema) -> None:
    """Its films by title, times on its own clock, and where one is."""
    root = await page(cinema, f"/?theater={PLACE}")
    assert root.all("h1")[0].text == "Hudson Street 12"
    assert "it is 7:30 PM EST" in root.text
    theaters, days = root.all("nav")
    current = [each.text for each in theaters.all("a") if "aria-current" in each.attributes]
    assert current == ["Hudson Street 12 New York"]
    (today,) = [each for each in days.all("a") if each.attributes.get("aria-current") == "date"]
    assert today.text == "Today"
    assert today.attributes["href"] == f"/?theater={PLACE}&day=2027-03-05"
    titles = [each.text for each in root.all("h3")]
    assert titles == sorted(titles, key=lambda title: title.removeprefix("The "))
    assert set(titles) <= {movie.title for movie in FILMS}


async def test_each_button_names_its_screening(cinema: Cinema) -> None:
    """Out of context too: film, time, auditorium, and that it has begun."""
    await cinema.put_on("one-week", starts_in_min=-5)
    root = await page(cinema, f"/?theater={PLACE}")
    names = [each.text for each in root.all("button")]
    assert "Buy a ticket for One Week, 7:05 PM Auditorium 12 5 min in" in names
    assert len(names) == len(set(names))
    for form in root.all("form"):
        assert form.attributes["method"] == "post"
        assert form.attributes["action"] == "/purchases"
        (hidden,) = form.all("input")
        assert hidden.attributes["name"] == "showtime_id"
        assert str(hidden.attributes["value"]).startswith("st-")


async def test_what_is_over_has_no_button(cinema: Cinema) -> None:
    """Yesterday nothing can be bought, and the page says why."""
    root = await page(cinema, f"/?theater={PLACE}&day=2027-03-04")
    assert root.all("button") == []
    assert {each.text for each in root.all("span") if each.attributes.get("class") == "note"} == {
        "over"
    }


async def test_a_day_without_showings_says_so(cinema: Cinema) -> None:
    """And it is in the list of days, so that one sees where one is."""
    root = await page(cinema, f"/?theater={PLACE}&day=2027-05-01")
    assert "Nothing is shown on this day" in root.text
    days = root.all("nav")[1]
    (current,) = [each for each in days.all("a") if "aria-current" in each.attributes]
    assert current.text == "Sat, May 1"


async def test_the_late_show_is_on_the_evenings_page(cinema: Cinema) -> None:
    """A showing after midnight stands at the end of Friday, not on Saturday."""
    times = [
        [each.text for each in (await page(cinema, f"/?theater={PLACE}&day={day}")).all("time")]
        for day in ("2027-03-05", "2027-03-06")
    ]
    assert any(re.fullmatch(r"12:\d\d AM", each) for each in times[0])
    at_dawn = [each for each in times[1] if re.fullmatch(r"[1-9]:\d\d AM", each)]
    assert at_dawn == []


@pytest.mark.parametrize(
    ("path", "status", "heading"),
    [
        ("/?theater=nowhere", 404, "That is not here"),
        ("/?day=tomorrow", 400, "That could not be read"),
        ("/purchases/unknown", 404, "That is not here"),
        ("/nowhere", 404, "That is not here"),
    ],
)
async def test_an_error_is_a_page_too(cinema: Cinema, path: str, status: int, heading: str) -> None:
    """It says what is wrong and leads back."""
    root = await page(cinema, path, status)
    assert root.all("h1")[0].text == heading
    assert root.all("main")[0].all("a")[-1].attributes["href"] == "/"


async def test_a_ticket_with_its_link(cinema_and_tell: Cinema) -> None:
    """Title, theater, auditorium, times with their zone; the link and the code have names."""
    sold = await cinema_and_tell.sell()
    root = await page(cinema_and_tell, f"/purchases/{sold.purchase_id}", Prefer="wait=20")
    facts = {
        each.all("dt")[0].text: each.all("dd")[0].text for each in root.all("dl")[0].all("div")
    }
    assert facts == {
        "Theater": "Hudson Street 12, New York",
        "Auditorium": "12",
        "Day": "Friday, March 5",
        "Previews": "7:13 PM EST",
        "Film": "7:33 PM",
        "Ends": "about 7:58 PM",
        "Now": "previews are on",
    }
    link = next(each for each in root.all("a") if each.attributes["href"] == LISTEN_URL)
    assert link.text == "Listen with Tell"
    (code,) = [each for each in root.all("img") if "qr.svg" in str(each.attributes["src"])]
    assert code.attributes["alt"] == "QR code of your listen link"


async def test_a_ticket_whose_link_is_on_its_way(cinema: Cinema) -> None:
    """The place where it will appear is a live region, so that a screen reader tells of it."""
    sold = await cinema.sell()
    root = await page(cinema, f"/purchases/{sold.purchase_id}")
    (region,) = [each for each in root.walk() if each.attributes.get("id") == "listen"]
    assert region.attributes["role"] == "status"
    assert "on its way" in region.text
    assert region.all("a")[0].text == "Look again"


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio (WCAG 2.2)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_colours_have_contrast(theme: int) -> None:
    """Text 4.5:1 (1.4.3), the borders and rings that mark a control 3:1 (1.4.11)."""
    css = resources.files("amc_clone.pages").joinpath("static/style.css").read_text("utf-8")
    blocks = re.findall(r":root \{(.*?)\}", css, flags=re.DOTALL)
    assert len(blocks) == 2
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", blocks[theme]))
    for text in ("ink", "soft", "red", "red-hover"):
        for ground in ("ground", "raised"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for text, ground in (
        ("on-red", "red"),
        ("on-red", "red-hover"),
        ("good", "good-ground"),
        ("ground", "ink"),
    ):
        assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for mark in ("edge", "focus"):
        for ground in ("ground", "raised"):
            assert contrast(colours[mark], colours[ground]) >= 3, (mark, ground)
