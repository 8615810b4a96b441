"""One mistake for each rule, made on what a right server serves."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass

from tests.packager.lint.stand import Stand

MAIN = ("main.m3u8",)
OPUS = ("opus.m3u8",)
ONE = ("aac-64k.m3u8",)
AAC = ("aac-32k.m3u8", "aac-64k.m3u8")

Change = Callable[[Stand], None]


@dataclass(frozen=True)
class Case:
    """A mistake: the rule that must find it, in which playlist, and from which one it is linted."""

    rule: str
    change: Change
    where: str = "main.m3u8"
    target: str = "main.m3u8"
    line: str | None = None


def text(
    rule: str, names: tuple[str, ...], pattern: str, by: str, *, count: int = 0, at: str = ""
) -> Case:
    """A mistake in the text of playlists, found in the first of them; *at* begins its line."""
    target = "opus.m3u8" if names == OPUS else "main.m3u8"
    return Case(
        rule, lambda stand: stand.rewrite(names, pattern, by, count), names[0], target, at or None
    )


def data(
    rule: str, change: Callable[[bytearray], None], name: str = "aac-64k", target: str = "main.m3u8"
) -> Case:
    """A mistake in the bytes of a file."""
    return Case(rule, lambda stand: stand.patch(f"{name}.mp4", change), f"{name}.m3u8", target)


def served(rule: str, where: str = "aac-64k.m3u8", **fields: object) -> Case:
    """A mistake of the server."""

    def change(stand: Stand) -> None:
        for name, value in fields.items():
            assert hasattr(stand, name)
            setattr(stand, name, value)

    return Case(rule, change, where)


def rename(old: bytes, new: bytes) -> Callable[[bytearray], None]:
    """Rename the first box of a kind."""

    def change(content: bytearray) -> None:
        at = content.index(old)
        content[at : at + len(old)] = new

    return change


def put(
    kind: bytes, offset: int, form: str, value: int, *, nth: int = 0
) -> Callable[[bytearray], None]:
    """Write a number into the *nth* box of a kind, *offset* bytes after its name."""

    def change(content: bytearray) -> None:
        at = -1
        for _ in range(nth + 1):
            at = content.index(kind, at + 1)
        struct.pack_into(form, content, at + len(kind) + offset, value)

    return change


def second(line: str) -> str:
    """Pattern for the second line that *line* matches."""
    return rf"(?s:(\A.*?^{line}$.*?)^({line})$)"


def half_a_percent_up(rule: str, pattern: str) -> Case:
    """A rate that rounding does not explain and Apple's tolerance passes."""

    def raised(match: re.Match[str]) -> str:
        return f"{match[1]}{int(match[2]) * 1005 // 1000}"

    return Case(rule, lambda stand: stand.rewrite(MAIN, pattern, raised), line="#EXT-X-STREAM")


_EXTINF = r"^#EXTINF:5\.760000,$"
_STREAM_INF = r"^#EXT-X-STREAM-INF:.*\n.*\n"

CASES: tuple[Case, ...] = (
    # syntax
    text("text-encoding", MAIN, r"\A", "\ufeff"),
    text("text-encoding", ONE, r"^#EXT-X-ENDLIST$", "#\x0bvt\n#EXT-X-ENDLIST", at="#\x0b"),
    text("first-line", ONE, r"\A#EXTM3U$", "#EXTM3U8", at="#EXTM3U8"),
    text("unknown-tag", MAIN, "INDEPENDENT", "INDEPENDANT", at="#EXT-X-INDEPENDANT"),
    text("blank-space", ONE, r"^#EXT-X-ENDLIST$", "#EXT-X-ENDLIST ", at="#EXT-X-ENDLIST"),
    text("one-kind", ONE, r"\Z", '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="b"\n'),
    text("attribute-list", MAIN, ',NAME="', ', NAME="', at="#EXT-X-MEDIA"),
    text("attribute-list", MAIN, ",DEFAULT=YES", ",DEFAULT=YES,DEFAULT=NO", at="#EXT-X-MEDIA"),
    text("attribute-form", MAIN, r":BANDWIDTH=(\d+)", r':BANDWIDTH="\1"', at="#EXT-X-STREAM"),
    text("attribute-form", MAIN, r'LANGUAGE="en"', "LANGUAGE=en", at="#EXT-X-MEDIA"),
    text("tag-value", ONE, _EXTINF, "#EXTINF:5.76 s,", count=1, at="#EXTINF:5.76 s"),
    text("date-time-form", ONE, r"(DATE-TIME:.*)Z$", r"\1", at="#EXT-X-PROGRAM"),
    text("tag-once", ONE, r"^(#EXT-X-VERSION:6)$", r"\1\n\1", at="#EXT-X-VERSION"),
    text("start-once", ONE, r"^(#EXT-X-START:.*)$", r"\1\n\1", at="#EXT-X-START"),
    text("segment-tags", ONE, _EXTINF + r"\n", "", count=1, at="aac-64k.mp4"),
    text("segment-tags", ONE, r"^(#EXT-X-ENDLIST)$", r"#EXTINF:1.0,\n\1", at="#EXTINF:1.0"),
    text("version", ONE, r"^#EXT-X-VERSION:6$", "#EXT-X-VERSION:4", at="#EXT-X-VERSION"),
    text("second-reader", ONE, r"^#EXTINF:(5\.760000),$", r"#EXTINF: \1,", count=1),
    # variants
    text("variants-present", MAIN, _STREAM_INF, ""),
    text("variant-uri", MAIN, r"^(#EXT-X-STREAM-INF:.*)$", r"\1\n# one", at="#EXT-X-STREAM"),
    text("bandwidth-present", MAIN, r":BANDWIDTH=\d+,", ":", at="#EXT-X-STREAM"),
    text("average-present", MAIN, r",AVERAGE-BANDWIDTH=\d+", "", at="#EXT-X-STREAM"),
    text("codecs-present", MAIN, r',CODECS="[^"]*"', "", at="#EXT-X-STREAM"),
    text("codecs-form", OPUS, r'CODECS="opus"', 'CODECS="Opus"', at="#EXT-X-STREAM"),
    text("codecs-match", MAIN, r"mp4a\.40\.2", "mp4a.40.5", at="#EXT-X-STREAM"),
    text("codecs-mixed", MAIN, r"mp4a\.40\.2", "opus", count=1),
    text("cellular-variant", MAIN, r":BANDWIDTH=(\d+)", r":BANDWIDTH=\g<1>0"),
    # groups
    text("group-exists", MAIN, r'AUDIO="aac-64k"', 'AUDIO="none"', at="#EXT-X-STREAM"),
    text("group-used", MAIN, r'AUDIO="aac-64k"', 'AUDIO="aac-32k"', at="#EXT-X-MEDIA"),
    text("media-attributes", MAIN, r',NAME="[^"]*"', "", at="#EXT-X-MEDIA"),
    text("default-autoselect", MAIN, "AUTOSELECT=YES", "AUTOSELECT=NO", at="#EXT-X-MEDIA"),
    text("group-names", MAIN, r"^(#EXT-X-MEDIA:.*)$", r"\1\n\1", count=1, at="#EXT-X-MEDIA"),
    text("group-default", MAIN, r"^(#EXT-X-MEDIA:.*)$", r"\1\n\1", count=1, at="#EXT-X-MEDIA"),
    text("group-members", MAIN, 'NAME="English', 'NAME="Other', count=1, at="#EXT-X-MEDIA"),
    text("variant-in-group", MAIN, r'URI="[^"]*"', 'URI="opus-24k.m3u8"', at="#EXT-X-STREAM"),
    # audio description
    text("describes-video", MAIN, r',CHARACTERISTICS="[^"]*"', "", at="#EXT-X-STREAM"),
    text("description-autoselect", MAIN, "DEFAULT=YES,AUTOSELECT=YES", "DEFAULT=NO"),
    text("description-name", MAIN, r'NAME="[^"]*"', 'NAME="English"', at="#EXT-X-MEDIA"),
    text("language", MAIN, 'LANGUAGE="en"', 'LANGUAGE="in English"', at="#EXT-X-MEDIA"),
    text("language", MAIN, ',LANGUAGE="en"', "", at="#EXT-X-MEDIA"),
    text("file-language", MAIN, 'LANGUAGE="en"', 'LANGUAGE="de"', at="#EXT-X-MEDIA"),
    text("channels", MAIN, 'CHANNELS="1"', 'CHANNELS="2"', at="#EXT-X-MEDIA"),
    text("channels", MAIN, ',CHANNELS="1"', "", at="#EXT-X-MEDIA"),
    data("loudness-box", rename(b"ludt", b"free")),
    # bit rates
    text("bandwidth", MAIN, r":BANDWIDTH=(\d+)", r":BANDWIDTH=1\1", at="#EXT-X-STREAM"),
    half_a_percent_up("bandwidth-exact", r"(:BANDWIDTH=)(\d+)"),
    text("average-bandwidth", MAIN, r"AVERAGE-BANDWIDTH=\d", "AVERAGE-BANDWIDTH=", at="#EXT-X-STR"),
    half_a_percent_up("average-exact", r"(AVERAGE-BANDWIDTH=)(\d+)"),
    Case(
        "peak-to-average",
        lambda stand: stand.rewrite(ONE, r"^(#EXT-X-BYTERANGE:)(\d)", r"\g<1>9\2", count=1),
    ),
    # time
    text("target-duration", ONE, r"DURATION:6$", "DURATION:5", at="#EXTINF"),
    text("target-duration", ONE, r"^#EXT-X-TARGETDURATION:6\n", ""),
    text("target-six", AAC, r"DURATION:6$", "DURATION:8", at="#EXT-X-TARGET"),
    text("same-target", ONE, r"DURATION:6$", "DURATION:7", at="#EXT-X-TARGET"),
    text("same-duration", ONE, r"^#EXTINF:5.*\n.*\n.*\n", "", count=1),
    text("same-boundaries", ONE, _EXTINF, "#EXTINF:5.700000,", count=1, at="#EXTINF:5.7"),
    text("same-boundaries", ONE, r"^#EXTINF:5.*\n.*\n.*\n", "", count=1),
    text("playlist-type", ONE, "TYPE:VOD", "TYPE:EVENT", at="#EXT-X-PLAYLIST"),
    text("end-list", ONE, r"^#EXT-X-ENDLIST\n", ""),
    text("start-range", ONE, r"OFFSET=12", "OFFSET=-12", at="#EXT-X-START"),
    text("start-range", MAIN, r"OFFSET=12", "OFFSET=1200", at="#EXT-X-START"),
    text("date-time-same", ONE, "T19:30:00", "T19:30:01"),
    text("date-time-same", ONE, r"^#EXT-X-PROGRAM.*\n", ""),
    text("independent-segments", MAIN, r"^#EXT-X-INDEPENDENT-SEGMENTS\n", ""),
    text("extinf-samples", ONE, _EXTINF, "#EXTINF:5.762000,", count=1, at="#EXTINF:5.762"),
    text("extinf-drift", ONE, _EXTINF, "#EXTINF:5.759050,", at="#EXTINF"),
    # addresses
    text("map-present", ONE, r"^#EXT-X-MAP.*\n", "", at="#EXTINF"),
    text("map-range", ONE, r',BYTERANGE="\d+@0"', "", at="#EXT-X-MAP"),
    text("map-range", ONE, r'(,BYTERANGE="\d+)@0"', r'\1"', at="#EXT-X-MAP"),
    text("map-bytes", ONE, r'BYTERANGE="(\d+)@0"', r'BYTERANGE="\g<1>0@0"', at="#EXT-X-MAP"),
    text("range-offset", ONE, second(r"#EXT-X-BYTERANGE:\d+@\d+"), r"\1#EXT-X-BYTERANGE:9000"),
    text("range-follows", ONE, r"(BYTERANGE:\d+@)\d\d\d$", r"\g<1>0", at="#EXTINF"),
    text("segment-bytes", ONE, r"(BYTERANGE:\d+)\d(@\d+)$", r"\g<1>\2", count=1, at="#EXTINF"),
    text("uri-form", ONE, r"^aac-64k\.mp4$", "aac 64k.mp4", at="aac 64k"),
    text("uri-form", MAIN, r"^(/stream/.*)$", r"//[", count=1, at="//["),
    text("uri-query", ONE, r"^aac-64k\.mp4$", "aac-64k.mp4?token=x", at="aac-64k"),
    text("uri-query", MAIN, r"^(/stream/.*)$", r"\1?token=x", at="/stream/"),
    # files
    data("one-track", rename(b"mvex", b"trak")),
    data("cmaf-brand", rename(b"cmfc", b"isom")),
    data("edit-list", rename(b"mehd", b"elst")),
    data("pre-skip", put(b"dOps", 2, ">H", 312), "opus-24k", "opus.m3u8"),
    data("timescale", put(b"mdhd", 12, ">I", 90_000)),
    data("first-time", put(b"tfdt", 4, ">Q", 1024)),
    data("times-follow", put(b"tfdt", 4, ">Q", 1, nth=7)),
    data("file-index", put(b"sidx", 24, ">I", 4000)),
    # delivery
    served("reachable", "main.m3u8", missing=frozenset({"aac-64k.m3u8"})),
    served("reachable", missing=frozenset({"aac-64k.mp4"})),
    served("playlist-mime", playlist_headers={"Content-Type": "text/plain"}),
    served("playlist-gzip", packs=False),
    served("playlist-vary", playlist_headers={"Vary": None}),
    served("playlist-cache", playlist_headers={"Cache-Control": "max-age=60"}),
    served("media-mime", media_headers={"Content-Type": "application/octet-stream"}),
    served("media-redirect", redirected=frozenset({"aac-64k.mp4"})),
    served("playlist-redirect", redirected=frozenset({"aac-64k.m3u8"})),
    served("range-status", takes_ranges=False),
    served("content-range", skewed_by=1),
    served("open-range", takes_open_ranges=False),
    served("media-etag", media_headers={"ETag": 'W/"weak"'}),
    served("media-cache", media_headers={"Cache-Control": "private, no-store"}),
    served("media-private", media_headers={"Cache-Control": "public, max-age=60"}),
)
