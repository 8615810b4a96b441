"""What she sets, and that it counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from demo.browser import LISTEN, STOP, patient
from tests.browser.listening import PATIENCE_S, listen
from tests.browser.world import FROM_THE_START_MOVIE_ID, World, publish_code

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("world"),
]

RUNNING = timedelta(minutes=-12)
READY = "Ready, also without network."
_SPANISH_TRACK = """async () => {
  const [id] = JSON.parse(localStorage["tell.tickets"]).map(({ answer }) => answer.correlation_id);
  return JSON.parse(localStorage["tell.grant." + id]).answer.language;
}"""


async def _open(page: Page, url: str) -> None:
    await page.goto(url)
    await page.get_by_role("button", name=LISTEN, exact=True).wait_for()


async def _settings(page: Page) -> None:
    await page.get_by_role("button", name="Settings", exact=True).click()
    await expect(page.get_by_role("heading", level=1, name="Settings")).to_be_focused()


async def test_the_sound_goes_on_while_she_looks_at_the_settings(world: World, page: Page) -> None:
    """They stand before the ticket; the browser's back leads to it, as it was."""
    sale = await world.sell(RUNNING)
    await _open(page, sale.listen_url)
    await listen(page)
    before_s = await page.evaluate("document.getElementById('sound').currentTime")
    await _settings(page)
    assert await page.title() == "Settings · Tell"
    assert page.url == f"{world.tell.url}/listen?settings"
    await page.go_back()
    await expect(page.get_by_role("heading", level=1, name="One Week")).to_be_focused()
    assert await page.title() == "One Week · Tell"
    await expect(page.get_by_role("button", name=STOP, exact=True)).to_be_visible()
    async with asyncio.timeout(PATIENCE_S):
        while await page.evaluate("document.getElementById('sound').currentTime") <= before_s:
            await page.wait_for_timeout(100)
    assert not await page.evaluate("document.getElementById('sound').paused")


async def test_back_is_a_button_too(world: World, page: Page) -> None:
    """An installed app has no other: to the ticket, or to the app where they were opened first."""
    sale = await world.sell(RUNNING)
    await _open(page, sale.listen_url)
    await _settings(page)
    await page.get_by_role("button", name="Back", exact=True).click()
    await expect(page.get_by_role("heading", level=1, name="One Week")).to_be_focused()
    await page.goto(f"{world.tell.url}/listen?settings")
    await page.get_by_role("button", name="Back", exact=True).click()
    await expect(page.get_by_role("heading", level=1, name="One Week")).to_be_focused()
    assert page.url == f"{world.tell.url}/listen"


async def test_the_app_speaks_the_language_that_she_chooses(world: World, page: Page) -> None:
    """At once and at the next visit; the settings stay open, and English is found again."""
    sale = await world.sell(RUNNING)
    await _open(page, sale.listen_url)
    await _settings(page)
    await page.get_by_role("radio", name="Español").click()
    await expect(page.get_by_role("heading", level=1, name="Ajustes")).to_be_visible()
    assert await page.evaluate("document.documentElement.lang") == "es"
    await page.get_by_role("button", name="Volver").click()
    await expect(page.get_by_text("La película empezó hace 12 minutos.")).to_be_visible()
    await page.goto(f"{world.tell.url}/listen?settings")
    group = page.get_by_role("group", name="Idioma de Tell")
    await group.get_by_role("radio", name="English").click()
    await expect(page.get_by_role("heading", level=1, name="Settings")).to_be_visible()
    assert await page.evaluate("document.documentElement.lang") == "en-US"


async def test_a_language_chosen_while_she_listens_waits(world: World, page: Page) -> None:
    """A page that loads anew would cut the sound off; she is told."""
    sale = await world.sell(RUNNING)
    await _open(page, sale.listen_url)
    await listen(page)
    await _settings(page)
    await page.get_by_role("radio", name="Español").click()
    await expect(page.locator("#announcer")).to_contain_text("from the next time")
    await expect(page.get_by_role("heading", level=1, name="Settings")).to_be_visible()
    assert not await page.evaluate("document.getElementById('sound').paused")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def two_languages(world: World) -> str:
    """A film that is described in English and in Spanish."""
    movie_id = FROM_THE_START_MOVIE_ID
    await publish_code(world.folder / "media", movie_id, first_second=0, seconds=60, language="es")
    return movie_id


@pytest_asyncio.fixture(loop_scope="session")
async def spanish_phone(silent_browser: Browser) -> AsyncIterator[BrowserContext]:
    """A phone that speaks the Spanish of Mexico."""
    context = await silent_browser.new_context(locale="es-MX", color_scheme="dark")
    patient(context)
    yield context
    await context.close()


async def test_the_description_is_in_the_phone_s_language(
    world: World, two_languages: str, spanish_phone: BrowserContext
) -> None:
    """Without a word of hers; and the app speaks it, and writes times as it does."""
    sale = await world.sell(timedelta(hours=3), two_languages)
    page = await spanish_phone.new_page()
    await page.goto(sale.listen_url)
    await expect(page.locator("[data-about=track]")).to_have_text("Lista, también sin red.")
    assert await page.evaluate(_SPANISH_TRACK) == "es"
    assert await page.evaluate("document.documentElement.lang") == "es-MX"
    await expect(page.get_by_text("La película empieza en 2 horas 59 minutos.")).to_be_visible()


async def test_she_chooses_the_language_of_the_description(
    world: World, two_languages: str, page: Page
) -> None:
    """The track of the other language comes to the phone, and the first one goes."""
    sale = await world.sell(timedelta(hours=3), two_languages)
    await _open(page, sale.listen_url)
    track = page.locator("[data-about=track]")
    await expect(track).to_have_text(READY)
    assert await page.evaluate(_SPANISH_TRACK) == "en"
    first = await page.evaluate("localStorage['tell.downloads']")
    await _settings(page)
    await page.get_by_role("radio", name="Spanish").check()
    await page.get_by_role("button", name="Back", exact=True).click()
    # "Ready" was true of the other track, and is again of this one.
    async with asyncio.timeout(PATIENCE_S):
        while await page.evaluate("localStorage['tell.downloads']") == first:
            await page.wait_for_timeout(100)
    await expect(track).to_have_text(READY)
    assert await page.evaluate(_SPANISH_TRACK) == "es"


async def test_a_download_is_removed_and_asked_for_again(world: World, page: Page) -> None:
    """It says how large it is; removed it stays away until she asks."""
    sale = await world.sell(timedelta(hours=3), FROM_THE_START_MOVIE_ID)
    await _open(page, sale.listen_url)
    track = page.locator("[data-about=track]")
    await expect(track).to_have_text(READY)
    await _settings(page)
    await expect(page.get_by_text("1 description, 1 of 300 megabytes.")).to_be_visible()
    await page.get_by_role("button", name="Remove Sherlock Jr.").click()
    nothing = page.get_by_text("No description is stored on this phone.")
    await expect(nothing).to_be_focused()
    await page.reload()
    await expect(nothing).to_be_visible()
    await page.get_by_role("button", name="Back", exact=True).click()
    await page.locator(".readiness > summary").click()
    await expect(track).to_contain_text("You removed the download.")
    await page.get_by_role("button", name="Download it now").click()
    await expect(track).to_have_text(READY)


async def test_no_data_are_used_where_she_says_so(world: World, page: Page) -> None:
    """Chosen before the ticket comes, nothing is downloaded; allowed again, it comes by itself."""
    await page.goto(f"{world.tell.url}/listen?settings")
    await page.get_by_role("radio", name="Never download").check()
    sale = await world.sell(timedelta(hours=3), FROM_THE_START_MOVIE_ID)
    await _open(page, sale.listen_url)
    track = page.locator("[data-about=track]")
    await expect(track).to_contain_text("as you chose in the settings")
    await _settings(page)
    await page.get_by_role("radio", name="Download by itself").check()
    await page.get_by_role("button", name="Back", exact=True).click()
    await expect(track).to_have_text(READY)


async def test_the_earphone_s_trim_is_the_same_here_and_there(world: World, page: Page) -> None:
    """Set in the settings, it is what the ticket's screen says; and it is kept."""
    sale = await world.sell(RUNNING)
    await _open(page, sale.listen_url)
    await _settings(page)
    await page.get_by_role("button", name="10 milliseconds earlier", exact=True).click()
    said = page.get_by_text("The sound is played 10 milliseconds earlier.")
    await expect(page.locator(".settings").locator(said)).to_be_visible()
    await page.go_back()
    await page.get_by_text("If the sound does not fit the film").click()
    await expect(page.locator(".adjust").locator(said)).to_be_visible()
    await page.goto(f"{world.tell.url}/listen?settings")
    await expect(page.locator(".settings").locator(said)).to_be_visible()


async def test_she_tells_the_cinema_nothing_where_she_will_not(world: World, page: Page) -> None:
    """A switch, on at first, and kept."""
    await page.goto(f"{world.tell.url}/listen?settings")
    switch = page.get_by_role("switch", name="Tell the cinema how well the sound fits")
    await expect(switch).to_be_checked()
    await page.get_by_text("Tell the cinema how well the sound fits").click()
    await page.reload()
    await expect(switch).not_to_be_checked()
    # Who is not known to Tell has nothing to erase.
    await expect(page.get_by_text("What Tell keeps of you")).to_be_hidden()


async def test_the_poster_is_there_without_network(world: World, page: Page) -> None:
    """It comes from Tell alone, once, and then from the phone."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    sale = await world.sell(timedelta(hours=3))
    await _open(page, sale.listen_url)
    await expect(page.locator("[data-about=track]")).to_have_text(READY)
    # The hum that keeps a locked phone awake is a blob of the page's own.
    assert [url for url in asked if not url.startswith((world.tell.url, "blob:"))] == []
    keys = "caches.open('tell-posters').then((cache) => cache.keys()).then((keys) => keys.length)"
    assert await page.evaluate(keys) == 1
    await page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    await page.context.set_offline(True)
    try:
        await page.reload()
        poster = page.get_by_role("img", name="Poster of One Week")
        await expect(poster).to_be_visible()
        width = await poster.evaluate("(image) => image.decode().then(() => image.naturalWidth)")
        assert width > 0
    finally:
        await page.context.set_offline(False)


async def test_a_light_phone_is_dark_in_the_cinema(world: World, page: Page) -> None:
    """Light at home, where the phone is; true black from an hour before the previews on."""
    await page.emulate_media(color_scheme="light")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    await page.goto(f"{world.tell.url}/listen")
    await expect(page.get_by_role("heading", level=1, name="No ticket here yet")).to_be_visible()
    assert await page.evaluate(ground) == "rgb(255, 250, 240)"
    sale = await world.sell(RUNNING)
    await page.goto(sale.listen_url)
    await page.get_by_role("button", name=LISTEN, exact=True).wait_for()
    assert await page.evaluate(ground) == "rgb(0, 0, 0)"
    # Nothing of hers lights it up again while it is open.
    await page.get_by_role("button", name="Settings", exact=True).click()
    assert await page.evaluate(ground) == "rgb(0, 0, 0)"
