"""What goes over the wire, as models: they check requests, write answers and make /openapi.json."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from catalog.listeners.playback import PlaybackSource
from catalog.models import PurchaseState, StartSource
from catalog.screenings.keeping import Outcome
from catalog.screenings.timeline import Phase

CorrelationId = Annotated[
    str, Field(pattern=r"^[a-z2-7]{20}$", description="Names a purchase and opens nothing.")
]
Seconds = Annotated[float, Field(description="seconds")]
RenditionName = Annotated[str, Field(pattern=r"^[a-z0-9]{1,16}-[0-9]{1,5}k$")]
_DAY_MS = 86_400_000.0
SignedPath = Annotated[str, Field(description="From the root of this server, with a token in it.")]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class _Request(BaseModel):
    # Unknown fields are ignored, so that a newer app can talk to an older server.
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class PurchaseAnswer(_Model):
    """The purchase is durable."""

    correlation_id: CorrelationId
    listen_url: Annotated[
        str, Field(description="The buyer's link. Its fragment is a secret: never log it.")
    ]


class EventAnswer(_Model):
    """The message is durable, and what it changed is true for everybody."""

    outcome: Annotated[
        Outcome,
        Field(
            description="new or applied: taken. known: told before. outdated: a newer revision is "
            "here. conflict: this revision came before with other content; a person must look."
        ),
    ]


class ClaimRequest(_Request):
    """A device takes up a purchase."""

    claim_code: Annotated[
        str, Field(min_length=1, max_length=512, description="The fragment of listen_url.")
    ]
    device_nonce: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9_-]{16,64}$",
            description="Random, made once by the device: the same one again claims nothing new.",
        ),
    ]


class TicketView(_Model):
    """What a listener sees of a purchase. What is null comes with enrichment."""

    correlation_id: CorrelationId
    state: PurchaseState
    movie_id: str
    title: str | None
    poster_url: Annotated[str | None, Field(description="Path from the root.")]
    theater_name: str | None
    time_zone: Annotated[str | None, Field(description="IANA name, for showing local time only.")]
    auditorium_number: str
    showtime_id: str
    previews_start: datetime | None
    movie_start: datetime | None
    movie_start_bound_ms: int | None
    movie_start_source: StartSource | None
    credits_end: datetime | None
    phase: Phase | None
    described: Annotated[bool | None, Field(description="Whether a track is published.")]
    server_time: datetime


class ClaimAnswer(_Model):
    """The listener, and the ticket that she now holds."""

    listener_token: Annotated[str, Field(description="The bearer of all further requests.")]
    ticket: TicketView


class TicketList(_Model):
    """All tickets of the listener, by movie_start; those not yet enriched come last."""

    tickets: list[TicketView]
    server_time: datetime


class PlaybackReport(_Request):
    """How the sound of a ticket stands on a device. Only the last one of each ticket is kept."""

    correlation_id: CorrelationId
    source: Annotated[PlaybackSource, Field(strict=False)]
    rendition: RenditionName
    phase: Annotated[Phase, Field(strict=False)]
    error_ms: Annotated[
        float,
        Field(
            ge=-_DAY_MS,
            le=_DAY_MS,
            description="Where the sound is, less where it should be: late is negative.",
        ),
    ]
    bound_ms: Annotated[
        float, Field(ge=0, le=_DAY_MS, description="How far off that measurement may be.")
    ]
    rebuffers: Annotated[
        int, Field(ge=0, le=1_000_000, description="Since the app began to play this ticket.")
    ]


class TimeQuery(_Request):
    """A clock exchange."""

    nonce: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9._~-]{1,64}$",
            description="Comes back, so that an answer out of a cache is found out.",
        ),
    ]


class TimeAnswer(_Model):
    """Tell's clock, the one that offset_s uses; microseconds since 1970 in UTC."""

    nonce: str
    received_us: int
    sent_us: Annotated[int, Field(description="Read last, just before the answer is sent.")]
    bound_us: Annotated[int, Field(description="How far the two readings may be off the clock.")]
    bound_source: Annotated[str, Field(description="What the bound covers.")]


class PosterQuery(_Request):
    """Which of a film's posters is meant."""

    v: Annotated[
        str | None,
        Field(description="Differs where the poster does. The present one is sent in any case."),
    ] = None


class GrantQuery(_Request):
    """Which ticket, and in which language."""

    ticket: CorrelationId | None = None
    language: Annotated[
        str | None,
        Field(
            max_length=64,
            pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$",
            description="BCP 47 tag; else the track's default.",
        ),
    ] = None
    codecs: Annotated[
        str | None,
        Field(
            max_length=200,
            pattern=r"^[A-Za-z0-9.-]{1,32}(,[A-Za-z0-9.-]{1,32})*$",
            description="What the device decodes, as RFC 6381 names it: mp4a.40.2,opus. Only "
            "renditions of these are named; with the header Save-Data: on, the smallest first.",
        ),
    ] = None


class NowQuery(_Request):
    """Which rendition to begin with."""

    rendition: Annotated[str | None, Field(pattern=r"^[a-z0-9]+-[0-9]+k$")] = None


class Download(_Model):
    """One rendition as a whole file, for resumable download."""

    rendition: str
    codec: Literal["aac", "opus"]
    codecs: Annotated[str, Field(description="RFC 6381, for canPlayType and isTypeSupported.")]
    url: SignedPath
    size_bytes: int
    sha256: str
    bit_rate_bps: int


class GrantView(_Model):
    """The track of a ticket, where it stands now, and the signed paths to its sound."""

    correlation_id: CorrelationId
    movie_id: str
    title: str
    language: str
    languages: list[str]
    phase: Phase
    server_time: datetime
    movie_start: datetime
    movie_start_bound_ms: int
    movie_start_source: StartSource
    credits_end: datetime
    offset_s: Annotated[
        float, Field(description="server_time - movie_start in seconds, negative before the film")
    ]
    track_position_s: Annotated[
        float, Field(description="offset_s - track_offset_s, held within the track; seconds")
    ]
    track_offset_s: Seconds
    duration_s: Seconds
    hls: Annotated[SignedPath | None, Field(description="Multivariant Playlist, AAC")]
    hls_opus: Annotated[SignedPath | None, Field(description="Multivariant Playlist, Opus")]
    dash: SignedPath
    now: Annotated[
        SignedPath | None, Field(description="Media Playlist that begins at the present position")
    ]
    silences: Annotated[
        SignedPath | None, Field(description="The narrator's pauses, where they were measured.")
    ]
    downloads: list[Download]
    expires_at: Annotated[
        datetime, Field(description="When hls, hls_opus, dash and now stop opening anything new.")
    ]


class SilencesView(_Model):
    """The narrator's pauses of 300 ms and longer, in order, counted in samples of the track."""

    sample_rate_hz: int
    # Not list[tuple[int, int]]: `prefixItems`, which it becomes, is not read by every OpenAPI tool.
    silences: Annotated[
        Sequence[Annotated[Sequence[int], Field(min_length=2, max_length=2)]],
        Field(description="First sample, and sample after the last."),
    ]


class Health(_Model):
    """The process answers."""

    status: Literal["ok"]


class Check(_Model):
    """One part that Tell needs."""

    ok: bool
    needed: Annotated[bool, Field(description="Without it this replica should get no requests.")]
    detail: str


class Ready(_Model):
    """Whether requests should come here. `degraded` still serves."""

    status: Literal["ready", "degraded", "unready"]
    worker: Annotated[
        int | None, Field(description="Which of several processes answered; null where one is all.")
    ] = None
    checks: dict[str, Check]


class FieldProblem(_Model):
    """What is wrong with one field."""

    field: str
    detail: str


class Problem(BaseModel):
    """RFC 9457 problem details."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: Annotated[str, Field(description="Stable; what a program should look at.")]
    correlation_id: Annotated[
        str, Field(description="The purchase's where one is known, else the request's.")
    ]
    errors: list[FieldProblem] | None = None
    languages: list[str] | None = None


class ProblemKind(_Model):
    """What a code means."""

    code: str
    titles: list[str]
    statuses: list[int]
