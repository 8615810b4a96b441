"""The whole way from a source to a published track, on real sound."""

from __future__ import annotations

import array
import hashlib
import wave
from datetime import UTC, datetime
from pathlib import Path

import m3u8
import pytest

from media.errors import InvalidIdError
from media.grid import FRAGMENT_SAMPLES, SEGMENT_SAMPLES
from media.hls import media_playlist
from media.storage import LocalStorage
from media.track import current_key, load_current, load_track
from packager.encoding.ladder import DEFAULT_LADDER
from packager.errors import WorkFolderError
from packager.ffmpeg import Tools
from packager.pipeline import TrackOrder, add_track
from packager.settings import PackagerSection
from tests.packager.conftest import Published
from tests.sounds import (
    decode_samples,
    lag_samples,
    publish_short_track,
    published_at,
    speech_like,
    write_wav,
)

ZERO_AT = datetime(2026, 5, 1, 19, 30, tzinfo=UTC)


def test_published_files_are_what_track_json_says(published: Published) -> None:
    """current.json names the version, track.json reads back equal, sizes and digests are true."""
    track = published.track
    pointer = published.storage.path(current_key("one-week", "en")).read_bytes()
    assert load_current(pointer, "current.json").version == track.version
    stored = published.storage.path(f"{track.prefix}/track.json").read_bytes()
    assert load_track(stored, "track.json") == track
    for rendition in track.renditions:
        content = published.file(rendition.name).read_bytes()
        assert len(content) == rendition.size_bytes
        assert hashlib.sha256(content).hexdigest() == rendition.sha256


def test_track_describes_its_source(published: Published) -> None:
    """The true length, the padded length, the digest, the offset and the whole ladder are kept."""
    track = published.track
    assert track.source.duration_samples == round(8.123 * 48_000)
    assert track.duration_samples == 399_360  # the next multiple of 15,360
    assert track.source.sha256 == hashlib.sha256(published.source.read_bytes()).hexdigest()
    assert track.source.name == "speech.wav"
    assert track.track_offset_s == 1.5
    assert tuple(r.name for r in track.renditions) == DEFAULT_LADDER
    assert {r.codecs for r in track.renditions} == {"mp4a.40.2", "opus"}
    assert {r.channels for r in track.renditions} == {1}


def test_all_renditions_share_the_grid(published: Published) -> None:
    """Fragments have 46,080 samples and segments six of them, in every rendition alike."""
    for rendition in published.track.renditions:
        fragments = [piece.samples for piece in rendition.fragments]
        segments = [piece.samples for piece in rendition.segments]
        assert fragments == [FRAGMENT_SAMPLES] * 8 + [399_360 - 8 * FRAGMENT_SAMPLES]
        assert segments == [SEGMENT_SAMPLES, 399_360 - SEGMENT_SAMPLES]


@pytest.mark.parametrize("name", DEFAULT_LADDER)
def test_decoded_file_is_aligned_to_the_sample(published: Published, name: str) -> None:
    """Sample 0 of every rendition, AAC and Opus, is sample 0 of the source, at both ends of it."""
    source = speech_like(8.123)
    decoded = decode_samples(published.file(name))
    assert len(decoded) == published.track.duration_samples
    assert abs(lag_samples(source, decoded, 9_000)) <= 1
    assert abs(lag_samples(source, decoded, 375_000)) <= 1


@pytest.mark.parametrize("name", ["aac-64k", "opus-48k"])
def test_segment_fetched_by_range_is_aligned(
    published: Published, name: str, tmp_path: Path
) -> None:
    """The init segment and the second media segment, cut out by the playlist, sound on time."""
    rendition = published.track.rendition(name)
    assert rendition is not None
    playlist = m3u8.loads(media_playlist(published.track, rendition, 0.0, ZERO_AT))
    content = published.file(name).read_bytes()

    def cut(byterange: str) -> bytes:
        size, offset = map(int, byterange.split("@"))
        return content[offset : offset + size]

    piece = tmp_path / "piece.mp4"
    piece.write_bytes(cut(playlist.segment_map[0].byterange) + cut(playlist.segments[1].byterange))
    decoded = decode_samples(piece)
    assert len(decoded) == published.track.duration_samples - SEGMENT_SAMPLES
    source = speech_like(8.123)[SEGMENT_SAMPLES:]
    assert lag_samples(source, decoded, 20_000) == 0


@pytest.mark.parametrize(("rate_hz", "channels"), [(44_100, 2), (16_000, 1), (96_000, 2)])
async def test_other_rate_or_stereo_is_aligned(
    tmp_path: Path, tools: Tools, rate_hz: int, channels: int
) -> None:
    """A source of another rate, or with two channels, keeps its times."""
    source = write_wav(tmp_path / "source.wav", 3.0, rate_hz=rate_hz, channels=channels)
    settings = PackagerSection(ladder=["aac-128k"])
    root = tmp_path / "media"
    track = await add_track(
        TrackOrder(source, "film", "en", "Film", accepted=frozenset({"too-short"})),
        LocalStorage(root),
        tools,
        settings,
        clock=published_at,
    )
    assert track.source.duration_samples == 144_000
    decoded = decode_samples(root / track.prefix / "aac-128k.mp4")
    mono = speech_like(3.0, rate_hz)
    # The nearest sample is resampling enough to see a shift.
    expected = array.array("h", (mono[i * rate_hz // 48_000] for i in range(144_000)))
    assert abs(lag_samples(expected, decoded, 20_000)) <= 1


async def test_same_content_twice_is_one_version(tmp_path: Path) -> None:
    """Publishing the same again gives the same version and the same bytes."""
    root = tmp_path / "media"
    first = await publish_short_track(root, "film", seconds=3.0)
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    second = await publish_short_track(root, "film", seconds=3.0)
    assert second == first
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before


async def test_new_content_leaves_the_old_version_there(tmp_path: Path) -> None:
    """A second recording becomes current; listeners on the first can finish on it."""
    root = tmp_path / "media"
    old = await publish_short_track(root, "film", seconds=3.0)
    new = await publish_short_track(root, "film", seconds=3.0, seed=2)
    assert new.version != old.version
    pointer = (root / current_key("film", "en")).read_bytes()
    assert load_current(pointer, "current.json").version == new.version
    assert (root / old.prefix / "aac-64k.mp4").is_file()


async def test_version_depends_on_offset_and_title(tmp_path: Path) -> None:
    """What a listener would notice is in the version, not the sound alone."""
    root = tmp_path / "media"
    versions = {
        (await publish_short_track(root, "film", seconds=3.0)).version,
        (await publish_short_track(root, "film", seconds=3.0, track_offset_s=2.0)).version,
        (await publish_short_track(root, "film", seconds=3.0, title="Another")).version,
        (await publish_short_track(root, "film", "es", seconds=3.0)).version,
    }
    assert len(versions) == 4


async def test_sound_shorter_than_a_segment_is_published(tmp_path: Path) -> None:
    """Two seconds make a track of one segment, whose last fragment is padded with silence."""
    track = await publish_short_track(tmp_path / "media", "film", seconds=2.0)
    assert track.duration_samples == 107_520
    assert [len(r.fragments) for r in track.renditions] == [3, 3]
    assert [len(r.segments) for r in track.renditions] == [1, 1]


async def test_digital_silence_is_published(
    tmp_path: Path, tools: Tools, small: PackagerSection
) -> None:
    """Where the operator accepts it: no alignment to measure, and its length all the same."""
    source = tmp_path / "silence.wav"
    with wave.open(str(source), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(48_000)
        out.writeframes(bytes(2 * 96_000))
    track = await add_track(
        TrackOrder(source, "film", "en", "Film", accepted=frozenset({"too-short", "no-sound"})),
        LocalStorage(tmp_path / "media"),
        tools,
        small,
        clock=published_at,
    )
    assert track.source.duration_samples == 96_000


@pytest.mark.parametrize("movie_id", ["..", "a/b", "", "x" * 65])
async def test_ids_that_climb_are_refused(
    tmp_path: Path, speech: Path, tools: Tools, small: PackagerSection, movie_id: str
) -> None:
    """A movie id that is no single folder name stores nothing."""
    storage = LocalStorage(tmp_path / "media")
    with pytest.raises(InvalidIdError):
        await add_track(
            TrackOrder(speech, movie_id, "en", "Film"), storage, tools, small, clock=published_at
        )
    assert list(tmp_path.iterdir()) == []


async def test_work_folder_is_removed(tmp_path: Path, speech: Path, tools: Tools) -> None:
    """The configured work folder is empty again after a packaging."""
    work = tmp_path / "work"
    work.mkdir()
    settings = PackagerSection(ladder=["opus-24k"], work_dir=str(work))
    order = TrackOrder(speech, "film", "en", "Film")
    await add_track(order, LocalStorage(tmp_path / "media"), tools, settings, clock=published_at)
    assert list(work.iterdir()) == []


async def test_missing_work_folder_is_an_error(tmp_path: Path, speech: Path, tools: Tools) -> None:
    """A work folder that is not there is named, and nothing is published."""
    settings = PackagerSection(ladder=["opus-24k"], work_dir=str(tmp_path / "absent"))
    order = TrackOrder(speech, "film", "en", "Film")
    with pytest.raises(WorkFolderError, match="absent"):
        await add_track(
            order, LocalStorage(tmp_path / "media"), tools, settings, clock=published_at
        )
    assert not (tmp_path / "media").exists()
