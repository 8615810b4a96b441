"""The playlists of a track against its index, by another hand's library."""

from __future__ import annotations

import pytest

from packager.errors import VerifyError
from packager.verification.playlists import verify_playlists
from tests.packager.conftest import Published


def test_playlists_agree_with_the_index(published: Published) -> None:
    """What m3u8 reads from our playlists is what the files hold."""
    verify_playlists(published.track)


def test_index_that_cannot_be_written_is_refused(published: Published) -> None:
    """What another library does not read back as it was meant is an error, not a playlist."""
    first, *others = published.track.renditions
    odd = first.model_copy(update={"codecs": 'mp4a.40.2",X="'})
    track = published.track.model_copy(update={"renditions": (odd, *others)})
    with pytest.raises(VerifyError, match="codec strings"):
        verify_playlists(track)
