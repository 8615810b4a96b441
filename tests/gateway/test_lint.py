"""What the gateway really serves keeps every rule of Tell's own linter."""

from __future__ import annotations

import pytest

from packager.lint.run import lint_url
from tests.gateway.town import Town


@pytest.mark.parametrize("starts_in", [3600.0, -6.0, -60.0])
async def test_every_playlist_of_the_gateway_breaks_no_rule(town: Town, starts_in: float) -> None:
    """Multivariant Playlists of both codecs and now.m3u8: before, within and after the track."""
    sold, listener = await town.ticket(starts_in=starts_in)
    grant = await town.grant(listener, sold)
    for name, playlists in (("hls", 5), ("hls_opus", 3), ("now", 1)):
        report = await lint_url(str(town.tell.make_url(grant[name])))
        assert report.findings == (), report.text()
        assert report.playlists == playlists
        assert report.segments == report.segments_in_all > 0
