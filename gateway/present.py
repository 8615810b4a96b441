"""From the domain's nouns to the models of the wire."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog
from aiohttp import web
from pydantic import BaseModel

from catalog.models import Movie, Ticket
from catalog.screenings.timeline import position
from gateway.grants import Grant
from gateway.posters import poster_url
from gateway.schemas import Download, GrantView, TicketList, TicketView
from media import hls
from media.errors import InvalidIdError, MediaError, TrackNotFoundError
from media.library import Library

log = structlog.get_logger(__name__)

JSON = "application/json"
# The forms of a grant, the first where none is asked for; the last two are what players ask for in
# place of the registered type (RFC 8216 10).
GRANT_OFFERS = (JSON, hls.MEDIA_TYPE, "application/x-mpegurl", "audio/mpegurl")
# What chooses among them, and among a track's renditions.
GRANT_VARY = ("Accept", "Save-Data")


class TicketPresenter:
    """Shows tickets, with what the library and the clock add to them."""

    def __init__(self, library: Library, clock: Callable[[], datetime]) -> None:
        self._library = library
        self._clock = clock

    async def ticket(self, ticket: Ticket) -> TicketView:
        """One ticket as it stands now."""
        return self._view(ticket, await self._described(ticket))

    async def views(self, tickets: Sequence[Ticket]) -> list[TicketView]:
        """Tickets as they stand now; each film is looked up once, however many are for it."""
        described: dict[Movie | None, bool | None] = {}
        for ticket in tickets:
            if ticket.movie not in described:
                described[ticket.movie] = await self._described(ticket)
        return [self._view(ticket, described[ticket.movie]) for ticket in tickets]

    def _view(self, ticket: Ticket, described: bool | None) -> TicketView:
        now = self._clock()
        movie, theater, screening = ticket.movie, ticket.theater, ticket.screening
        return TicketView(
            correlation_id=ticket.correlation_id,
            state=ticket.state,
            movie_id=ticket.movie_id,
            title=movie.title if movie else None,
            poster_url=_poster_url(ticket),
            theater_name=theater.name if theater else None,
            time_zone=theater.time_zone if theater else None,
            auditorium_number=ticket.auditorium_number,
            showtime_id=ticket.showtime_id,
            previews_start=screening.previews_start if screening else None,
            movie_start=screening.movie_start if screening else None,
            movie_start_bound_ms=screening.movie_start_bound_ms if screening else None,
            movie_start_source=screening.movie_start_source if screening else None,
            credits_end=screening.credits_end if screening else None,
            phase=position(screening, now).phase if screening else None,
            described=described,
            server_time=now,
        )

    async def tickets(self, tickets: list[Ticket]) -> TicketList:
        """All tickets of a listener, in their order."""
        views = await self.views(tickets)
        return TicketList(tickets=views, server_time=self._clock())

    async def _described(self, ticket: Ticket) -> bool | None:
        """Whether a track is published; None where that is not known now.

        A storage that fails, or a track that cannot be read, takes no ticket from a listener and
        no event: times and cancellations matter to her whatever is known of the track.
        """
        if ticket.movie is None:
            return None
        try:
            await self._library.resolve(
                ticket.movie_id, ticket.movie.audio_description_path, language=None
            )
        except (TrackNotFoundError, InvalidIdError):
            return False
        except MediaError as error:
            log.warning(
                "track_not_looked_up",
                correlation_id=ticket.correlation_id,
                code=error.code,
                error=str(error),
            )
            return None
        return True


def _poster_url(ticket: Ticket) -> str | None:
    path = ticket.movie.poster_path if ticket.movie else None
    return None if path is None else poster_url(ticket.environment, ticket.movie_id, path)


def grant_view(grant: Grant) -> GrantView:
    """Present a grant, with its signed paths from the root."""
    opening = grant.opening
    ticket, screening, track = opening.ticket, opening.screening, opening.track
    codecs = {rendition.codec for rendition in track.renditions}
    playlists = f"/stream/{grant.access_token}"
    files = f"/stream/{grant.stream_token}"
    return GrantView(
        correlation_id=ticket.correlation_id,
        movie_id=ticket.movie_id,
        title=ticket.movie.title if ticket.movie else track.title,
        language=track.language,
        languages=list(grant.languages),
        phase=opening.place.phase,
        server_time=opening.now,
        movie_start=screening.movie_start,
        movie_start_bound_ms=screening.movie_start_bound_ms,
        movie_start_source=screening.movie_start_source,
        credits_end=screening.credits_end,
        offset_s=opening.place.offset_s,
        track_position_s=opening.position_s,
        track_offset_s=track.track_offset_s,
        duration_s=track.duration_s,
        hls=f"{playlists}/main.m3u8" if "aac" in codecs else None,
        hls_opus=f"{playlists}/opus.m3u8" if "opus" in codecs else None,
        dash=f"{playlists}/main.mpd",
        now=f"{playlists}/now.m3u8" if "aac" in codecs else None,
        silences=f"{files}/silences.json" if track.silences is not None else None,
        downloads=[
            Download(
                rendition=rendition.name,
                codec=rendition.codec,
                codecs=rendition.codecs,
                url=f"{files}/{rendition.file_name}",
                size_bytes=rendition.size_bytes,
                sha256=rendition.sha256,
                bit_rate_bps=rendition.bit_rate_bps,
            )
            for rendition in track.renditions
        ],
        expires_at=grant.expires_at,
    )


def json_response(model: BaseModel, status: int = 200, *, private: bool = True) -> web.Response:
    """Answer with a model as JSON; what is a listener's own is not to be stored anywhere."""
    headers = {"Cache-Control": "private, no-store" if private else "no-store"}
    return web.Response(
        status=status,
        body=model.model_dump_json().encode(),
        content_type=JSON,
        headers=headers,
    )
