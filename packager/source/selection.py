"""Which of a film file's audio tracks is the audio description."""

from __future__ import annotations

from packager.errors import AudioTrackError
from packager.source.probe import AudioTrack, SourceClaims

# Containers name languages by ISO 639-2, of which some have two codes; people write BCP 47, which
# wants the two-letter code (RFC 5646 2.2.1). Codes that are not here are compared as they are.
_TWO_LETTERS = {
    "ara": "ar", "bul": "bg", "cat": "ca", "ces": "cs", "chi": "zh", "cym": "cy", "cze": "cs",
    "dan": "da", "deu": "de", "dut": "nl", "ell": "el", "eng": "en", "est": "et", "eus": "eu",
    "fas": "fa", "fin": "fi", "fra": "fr", "fre": "fr", "ger": "de", "gle": "ga", "glg": "gl",
    "gre": "el", "heb": "he", "hin": "hi", "hrv": "hr", "hun": "hu", "ice": "is", "ind": "id",
    "isl": "is", "ita": "it", "jpn": "ja", "kor": "ko", "lav": "lv", "lit": "lt", "may": "ms",
    "msa": "ms", "nld": "nl", "nor": "no", "pol": "pl", "por": "pt", "ron": "ro", "rum": "ro",
    "rus": "ru", "slk": "sk", "slo": "sk", "slv": "sl", "spa": "es", "srp": "sr", "swe": "sv",
    "tam": "ta", "tel": "te", "tha": "th", "tur": "tr", "ukr": "uk", "urd": "ur", "vie": "vi",
    "wel": "cy", "zho": "zh",
}  # fmt: skip


def select_audio_track(claims: SourceClaims, wanted: str | None) -> AudioTrack:
    """Choose an audio track by *wanted*: a number counted from 1, or a language.

    None, and a language that several tracks have, take the one that is flagged for the visually
    impaired, else the only one. Raises AudioTrackError that names all tracks.
    """
    tracks = claims.tracks
    if wanted is not None and wanted.isdecimal():
        if not 1 <= int(wanted) <= len(tracks):
            what = f"has no audio track {wanted}: {_listed(tracks)}"
            raise AudioTrackError(claims.path.name, what)
        return tracks[int(wanted) - 1]
    of_language = tuple(t for t in tracks if wanted is None or _speaks(t, wanted))
    flagged = tuple(track for track in of_language if track.visual_impaired)
    for candidates in (flagged, of_language):
        if len(candidates) == 1:
            return candidates[0]
    if not of_language:
        what = f"has no audio track in {wanted!r}: {_listed(tracks)}"
    elif len(flagged) > 1:
        what = f"has several audio tracks for the visually impaired: {_listed(flagged)}"
    else:
        what = "has several audio tracks and none is flagged for the visually impaired: " + _listed(
            of_language
        )
    raise AudioTrackError(claims.path.name, what)


def _speaks(track: AudioTrack, wanted: str) -> bool:
    """Whether a track's language is *wanted*, or begins with it (`en` is met by `en-GB`)."""
    if track.language is None:
        return False
    has, asked = _subtags(track.language), _subtags(wanted)
    # A container that says "en" may hold what a person calls "en-GB" (RFC 4647 3.4, lookup).
    shared = min(len(has), len(asked))
    return has[:shared] == asked[:shared]


def _subtags(language: str) -> list[str]:
    primary, *rest = language.lower().replace("_", "-").split("-")
    return [_TWO_LETTERS.get(primary, primary), *rest]


def _listed(tracks: tuple[AudioTrack, ...]) -> str:
    """The tracks as a person chooses among them: `1: en, 5.1 ac3; 2: en, stereo aac "AD"`."""
    return "; ".join(
        f"{track.index + 1}: {track.language or 'no language'}, "
        f"{track.layout or f'{track.channels} channels'} {track.codec}"
        + (f' "{track.title}"' if track.title else "")
        + (", for the visually impaired" if track.visual_impaired else "")
        for track in tracks
    )
