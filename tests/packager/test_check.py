"""A gallery of bad sources: each is refused with its code, and the current track stays."""

from __future__ import annotations

import os
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from media.storage import LocalStorage
from packager.errors import SourceError
from packager.ffmpeg import Tools
from packager.pipeline import TrackOrder, add_track
from packager.settings import PackagerSection
from tests.sounds import publish_short_track, write_wav

Make = Callable[[Path, Tools], Path]


def _cut_wav(keep: float) -> Make:
    def make(folder: Path, _: Tools) -> Path:
        source = write_wav(folder / "cut.wav", 3.0)
        content = source.read_bytes()
        source.write_bytes(content[: round(len(content) * keep)])
        return source

    return make


def _unfinished_wav(size: int) -> Make:
    def make(folder: Path, _: Tools) -> Path:
        source = write_wav(folder / "unfinished.wav", 1.0)
        content = bytearray(source.read_bytes())
        struct.pack_into("<I", content, 40, size)
        source.write_bytes(content)
        return source

    return make


def _header_only(folder: Path, _: Tools) -> Path:
    source = write_wav(folder / "header.wav", 1.0)
    content = bytearray(source.read_bytes()[:44])
    struct.pack_into("<I", content, 40, 0)
    source.write_bytes(content)
    return source


def _encoded(folder: Path, tools: Tools, name: str, *options: str) -> Path:
    wav = write_wav(folder / "good.wav", 6.0)
    made = folder / name
    subprocess.run([tools.ffmpeg, "-v", "error", "-i", str(wav), *options, str(made)], check=True)
    return made


def _garbage_in_flac(folder: Path, tools: Tools) -> Path:
    source = _encoded(folder, tools, "garbage.flac")
    content = bytearray(source.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 20_000] = os.urandom(20_000)
    source.write_bytes(content)
    return source


def _garbage_in_aac(folder: Path, tools: Tools) -> Path:
    source = _encoded(folder, tools, "garbage.m4a", "-movflags", "+faststart")
    content = bytearray(source.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 8_000] = b"\xa5" * 8_000
    source.write_bytes(content)
    return source


def _cut_flac(folder: Path, tools: Tools) -> Path:
    source = _encoded(folder, tools, "cut.flac")
    source.write_bytes(source.read_bytes()[:-100_000])
    return source


def _boastful_flac(folder: Path, tools: Tools) -> Path:
    """Declare twice the samples in STREAMINFO (RFC 9639 8.2: 36 bits, the lower 32 at byte 22)."""
    source = _encoded(folder, tools, "boast.flac")
    content = bytearray(source.read_bytes())
    assert struct.unpack_from(">I", content, 22) == (288_000,)
    struct.pack_into(">I", content, 22, 576_000)
    source.write_bytes(content)
    return source


def _text(folder: Path, _: Tools) -> Path:
    source = folder / "notes.wav"
    source.write_text("A man in a grey coat crosses the hall.\n" * 100, encoding="utf-8")
    return source


def _random_bytes(folder: Path, _: Tools) -> Path:
    source = folder / "random.wav"
    source.write_bytes(bytes(range(256)) * 400)
    return source


def _playlist_to_elsewhere(folder: Path, _: Tools) -> Path:
    source = folder / "list.m3u8"
    source.write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
        encoding="utf-8",
    )
    return source


def _no_audio(folder: Path, tools: Tools) -> Path:
    made = folder / "picture.mkv"
    picture = ["-f", "lavfi", "-i", "color=size=32x32:duration=0.2", "-c:v", "ffv1"]
    subprocess.run([tools.ffmpeg, "-v", "error", *picture, str(made)], check=True)
    return made


def _zero_bytes(folder: Path, _: Tools) -> Path:
    source = folder / "zero.wav"
    source.touch()
    return source


def _folder(folder: Path, _: Tools) -> Path:
    source = folder / "folder.wav"
    source.mkdir()
    return source


def _missing(folder: Path, _: Tools) -> Path:
    return folder / "absent.wav"


def _below_a_file(folder: Path, _: Tools) -> Path:
    return write_wav(folder / "file.wav", 0.1) / "source.wav"


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (_cut_wav(0.98), "source-truncated"),
        (_cut_wav(0.5), "source-truncated"),
        (_cut_wav(0.01), "source-truncated"),
        (_cut_flac, "source-damaged"),
        (_boastful_flac, "source-truncated"),
        (_unfinished_wav(0), "source-unfinished"),
        (_unfinished_wav(0xFFFFFFFF), "source-unfinished"),
        (_header_only, "source-empty"),
        (_garbage_in_flac, "source-damaged"),
        (_garbage_in_aac, "source-damaged"),
        (_text, "source-format"),
        (_random_bytes, "source-format"),
        (_playlist_to_elsewhere, "source-format"),
        (_no_audio, "source-no-audio"),
        (_zero_bytes, "source-empty"),
        (_folder, "source-not-a-file"),
        (_missing, "source-missing"),
        (_below_a_file, "source-unreadable"),
    ],
)
async def test_bad_source_is_refused(
    tmp_path: Path, tools: Tools, small: PackagerSection, make: Make, code: str
) -> None:
    """A bad source has its code and a mend, and nothing in the storage changes."""
    root = tmp_path / "media"
    await publish_short_track(root, "film", seconds=1.0, ladder=("opus-24k",))
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    folder = tmp_path / "sources"
    folder.mkdir()
    order = TrackOrder(make(folder, tools), "film", "en", "Film")
    with pytest.raises(SourceError) as caught:
        await add_track(order, LocalStorage(root), tools, small)
    assert caught.value.code == code
    assert caught.value.mend
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
async def test_unreadable_source_is_refused(
    tmp_path: Path, tools: Tools, small: PackagerSection
) -> None:
    """A file without read permission is refused as such."""
    source = write_wav(tmp_path / "secret.wav", 0.1)
    source.chmod(0)
    order = TrackOrder(source, "film", "en", "Film")
    with pytest.raises(SourceError, match="permission") as caught:
        await add_track(order, LocalStorage(tmp_path / "media"), tools, small)
    assert caught.value.code == "source-unreadable"


@pytest.mark.parametrize("keep", [1.0, 0.9])
async def test_rf64_size_is_read_from_its_ds64(
    tmp_path: Path, tools: Tools, small: PackagerSection, keep: float
) -> None:
    """A large WAV (RF64) is taken when whole and refused when cut off."""
    folder = tmp_path / "sources"
    folder.mkdir()
    source = _encoded(folder, tools, "large.wav", "-rf64", "always")
    content = source.read_bytes()
    assert content[:4] == b"RF64"
    source.write_bytes(content[: round(len(content) * keep)])
    order = TrackOrder(source, "film", "en", "Film")
    if keep == 1.0:
        track = await add_track(order, LocalStorage(tmp_path / "media"), tools, small)
        assert track.source.duration_samples == 288_000
    else:
        with pytest.raises(SourceError) as caught:
            await add_track(order, LocalStorage(tmp_path / "media"), tools, small)
        assert caught.value.code == "source-truncated"


@pytest.mark.parametrize("name", ["sound.flac", "sound.aiff", "sound.mp3", "sound.m4a"])
async def test_other_containers_are_taken(
    tmp_path: Path, tools: Tools, small: PackagerSection, name: str
) -> None:
    """What else ffmpeg reads whole is a source."""
    source = _encoded(tmp_path, tools, name)
    order = TrackOrder(source, "film", "en", "Film")
    track = await add_track(order, LocalStorage(tmp_path / "media"), tools, small)
    assert abs(track.source.duration_samples - 288_000) <= 4096
