"""What the demo's real browser says where a page is not what it should be."""

from __future__ import annotations

from typing import Any

import pytest

from demo import browser
from demo.services import DemoError

# Nothing is recorded: no button is ever pressed.
NO_RECORDER: Any = None


async def test_a_page_without_the_button_is_told_by_what_it_says() -> None:
    """A ticket with too many devices, or a film that is over, is no traceback of the browser's."""
    missing = browser.available()
    if missing:
        pytest.skip(missing)
    async with browser.chromium() as chromium:
        page = await (await browser.phone(chromium)).new_page()
        page.set_default_timeout(500)
        with pytest.raises(DemoError, match=r'no button "Listen"; it says: Too many devices$'):
            await browser.join(
                page, NO_RECORDER, "data:text/html,<p>Too many<br>devices", listen_s=1.0
            )
