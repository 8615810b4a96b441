"""Which audio track is the description."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from packager.errors import AudioTrackError
from packager.source.probe import AudioTrack, SourceClaims
from packager.source.selection import select_audio_track

PLAIN = AudioTrack(0, None, None, 2, "stereo", 48_000, "aac", False, False, 60.0)


def _film(*tracks: AudioTrack) -> SourceClaims:
    numbered = tuple(replace(track, index=index) for index, track in enumerate(tracks))
    return SourceClaims(Path("film.mkv"), 1, "matroska", numbered, None, None)


ENGLISH = replace(PLAIN, language="eng", layout="5.1(side)", channels=6, codec="ac3")
ENGLISH_AD = replace(PLAIN, language="eng", title="Described", visual_impaired=True)
FRENCH = replace(PLAIN, language="fre")
GERMAN_AD = replace(PLAIN, language="de-AT", visual_impaired=True)


@pytest.mark.parametrize(
    ("tracks", "wanted", "chosen"),
    [
        ((PLAIN,), None, 0),
        ((ENGLISH, ENGLISH_AD, FRENCH), None, 1),
        ((ENGLISH, ENGLISH_AD, FRENCH), "en", 1),
        ((ENGLISH, ENGLISH_AD, FRENCH), "EN-gb", 1),
        ((ENGLISH, ENGLISH_AD, FRENCH), "fr", 2),
        ((ENGLISH, ENGLISH_AD, FRENCH), "fra", 2),
        ((ENGLISH, ENGLISH_AD, FRENCH), "1", 0),
        ((ENGLISH_AD, GERMAN_AD), "de", 1),
    ],
)
def test_track_is_chosen(tracks: tuple[AudioTrack, ...], wanted: str | None, chosen: int) -> None:
    """By number, by language, by the flag for the visually impaired, or because it is alone."""
    assert select_audio_track(_film(*tracks), wanted).index == chosen


@pytest.mark.parametrize(
    ("tracks", "wanted", "said"),
    [
        ((ENGLISH, FRENCH), None, "none is flagged.*1: eng, 5.1.side. ac3; 2: fre, stereo aac"),
        ((ENGLISH, ENGLISH_AD), "3", 'no audio track 3: .*2: eng, stereo aac "Described", for the'),
        ((ENGLISH, ENGLISH_AD), "0", "no audio track 0"),
        ((ENGLISH, FRENCH), "es", "no audio track in 'es'"),
        ((PLAIN,), "en", "no audio track in 'en': 1: no language"),
        ((ENGLISH_AD, GERMAN_AD), None, "several audio tracks for the visually impaired"),
        ((FRENCH, FRENCH), "fr", "none is flagged"),
    ],
)
def test_doubt_names_all_tracks(
    tracks: tuple[AudioTrack, ...], wanted: str | None, said: str
) -> None:
    """Where no one track fits, the error lists them as --audio-track takes them."""
    with pytest.raises(AudioTrackError, match=said) as caught:
        select_audio_track(_film(*tracks), wanted)
    assert "--audio-track" in caught.value.mend
