"""Who may hear what, and when: the rules between a ticket and its track.

`Grants.grant` opens a track to a listener, `Grants.open` checks at each later request that what a
token was signed for still holds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from catalog.models import PurchaseState, Screening, Ticket
from catalog.purchases.tickets import Tickets
from catalog.screenings.timeline import Phase, Position, listening_ends, position
from gateway.delivery.entitlements import Entitlements
from gateway.delivery.standings import Standing
from gateway.errors import (
    NotDescribedError,
    NotEnrichedError,
    NoTicketError,
    RenditionNotFoundError,
    ScreeningCancelledError,
    ScreeningEndedError,
    StreamRefusedError,
    TicketParkedError,
    WrongMovieError,
)
from media.errors import TrackNotFoundError
from media.ids import check_id
from media.library import Library, Offer
from media.playhead import track_position_s
from media.tokens import StreamClaims, Tokens
from media.track import Rendition, Track

# Enrichment takes milliseconds where the partner answers; where it does not, minutes.
_ENRICHING_RETRY_S = 2
_LONGEST_RETRY_S = 30
# A person is at work; an event tells the app at once when she is done.
_PARKED_RETRY_S = 300


@dataclass(frozen=True, slots=True)
class Opening:
    """A track that is open to a ticket, and where it stands at `now`.

    It stays open until `open_until` while `standing` is valid.
    """

    standing: Standing
    open_until: datetime
    screening: Screening
    track: Track
    now: datetime
    place: Position
    position_s: float

    @property
    def ticket(self) -> Ticket:
        """The ticket."""
        return self.standing.ticket

    @property
    def zero_at(self) -> datetime:
        """Instant at which the track's sample 0 sounds."""
        return self.screening.movie_start + timedelta(seconds=self.track.track_offset_s)

    def at(self, now: datetime) -> Opening:
        """The same where it stands at *now*: before `open_until`, and while `standing` is valid."""
        return _opening(self.standing, self.screening, self.track, now, self.open_until)

    def kept_s(self, most_s: int) -> int:
        """Seconds for which somebody else may rely on it: *most_s*, and never past its end."""
        return int(min(most_s, (self.open_until - self.now).total_seconds()))

    def rendition(self, name: str) -> Rendition:
        """One rendition; raises RenditionNotFoundError."""
        found = self.track.rendition(name)
        if found is None:
            raise RenditionNotFoundError(name, [r.name for r in self.track.renditions])
        return found

    def has(self, codec: str) -> bool:
        """Whether there is a rendition of this codec."""
        return any(rendition.codec == codec for rendition in self.track.renditions)

    def renditions(self, codec: str) -> list[Rendition]:
        """Renditions of one codec; raises RenditionNotFoundError where there is none."""
        found = [r for r in self.track.renditions if r.codec == codec]
        if not found:
            raise RenditionNotFoundError(codec, [r.name for r in self.track.renditions])
        return found


@dataclass(frozen=True, slots=True)
class Grant:
    """What a listener gets: the opening, the languages there are, and the two tokens.

    `expires_at` is when the access token ends.
    """

    opening: Opening
    languages: Sequence[str]
    access_token: str
    stream_token: str
    expires_at: datetime


class Grants:
    """Opens tracks to tickets."""

    def __init__(
        self,
        tickets: Tickets,
        entitlements: Entitlements,
        library: Library,
        tokens: Tokens,
        clock: Callable[[], datetime],
        *,
        access_ttl: timedelta,
        margin: timedelta,
    ) -> None:
        self._tickets = tickets
        self._entitlements = entitlements
        self._library = library
        self._tokens = tokens
        self._clock = clock
        self._access_ttl = access_ttl
        self._margin = margin

    async def grant(
        self, listener_id: str, movie_id: str, correlation_id: str | None, language: str | None
    ) -> Grant:
        """Open the track of *movie_id* to a listener.

        Without *correlation_id* it is her ticket whose screening runs now, else the next one.
        Raises InvalidIdError, TicketNotFoundError, NoTicketError, WrongMovieError,
        NotEnrichedError, TicketParkedError, ScreeningCancelledError, ScreeningEndedError,
        TrackNotFoundError and NotDescribedError.
        """
        check_id("movie_id", movie_id)
        if correlation_id is None:
            owned = await self._tickets.of_listener(listener_id)
            correlation_id = choose_ticket(
                owned, movie_id, self._clock(), self._margin
            ).correlation_id
        standing = await self._entitlements.held(listener_id, correlation_id)
        screening = self._screening(standing.ticket, movie_id)
        offer = await self._resolve(standing.ticket, language)
        return self._granted(standing, screening, offer)

    def grant_at_once(
        self, listener_id: str, movie_id: str, correlation_id: str, language: str | None
    ) -> Grant | None:
        """The same from memory; None where that has to be asked for.

        Raises WrongMovieError, NotEnrichedError, TicketParkedError, ScreeningCancelledError,
        ScreeningEndedError.
        """
        standing = self._entitlements.holding(listener_id, correlation_id)
        if standing is None:
            return None
        ticket = standing.ticket
        screening = self._screening(ticket, movie_id)
        offer = self._library.known_offer(movie_id, _path_of(ticket), language)
        return None if offer is None else self._granted(standing, screening, offer)

    def _screening(self, ticket: Ticket, movie_id: str) -> Screening:
        """The screening that a ticket opens now, if it is for that movie."""
        if ticket.movie_id != movie_id:
            raise WrongMovieError(ticket.correlation_id, movie_id)
        return open_screening(ticket, self._clock(), self._margin)

    def _granted(self, standing: Standing, screening: Screening, offer: Offer) -> Grant:
        track, languages = offer
        ticket = standing.ticket
        # Read last, so that the position is as fresh as it can be.
        now = self._clock()
        # A token's time is told in whole seconds.
        ends = listening_ends(screening, self._margin).replace(microsecond=0)
        opening = _opening(standing, screening, track, now, ends)
        expires_at = now + self._access_ttl
        access = self._tokens.access_token(_claims(ticket, screening, track, expires_at))
        return Grant(opening, languages, access, self.stream_token(opening), expires_at)

    def stream_token(self, opening: Opening) -> str:
        """Token for what the playlists of *opening* name: good until the screening's end."""
        ends = listening_ends(opening.screening, self._margin)
        return self._tokens.stream_token(
            _claims(opening.ticket, opening.screening, opening.track, ends)
        )

    async def open_playlist(self, access_token: str) -> Opening:
        """What an access token opens now; raises as `_open` and the errors of a token."""
        claims = self._tokens.read_access_token(access_token, self._clock())
        return await self._open(claims, await self._entitlements.standing(claims.ticket))

    async def open_stream(self, stream_token: str) -> Opening:
        """What a stream token opens now; raises as `_open` and the errors of a token."""
        claims = self._tokens.read_stream_token(stream_token, self._clock())
        return await self._open(claims, await self._entitlements.standing(claims.ticket))

    async def open_file(self, stream_token: str) -> Opening:
        """The same for bytes of a file, which may go on until the next look at the log.

        A change is seen there within two seconds. Raises as `_open` and the errors of a token.
        """
        claims = self._tokens.read_stream_token(stream_token, self._clock())
        return await self._open(claims, await self._entitlements.known(claims.ticket))

    async def _open(self, claims: StreamClaims, standing: Standing) -> Opening:
        """Check *claims* against the ticket as it is: a film may have moved or been cancelled.

        Raises TicketNotFoundError, StreamRefusedError, ScreeningCancelledError,
        ScreeningEndedError, TrackNotFoundError.
        """
        screening = open_screening(standing.ticket, self._clock(), self._margin)
        if screening.id != claims.screening:
            raise StreamRefusedError("the ticket has another screening than the token")
        track = await self._library.track(claims.movie_id, claims.language, claims.version)
        until = min(claims.expires_at, listening_ends(screening, self._margin))
        return _opening(standing, screening, track, self._clock(), until)

    async def _resolve(self, ticket: Ticket, language: str | None) -> Offer:
        try:
            return await self._library.offer(ticket.movie_id, _path_of(ticket), language)
        except TrackNotFoundError as error:
            if language is None:
                raise
            published = await self._library.languages(error.movie_id)
            if not published:
                raise
            raise NotDescribedError(error.movie_id, language, published) from error


def _path_of(ticket: Ticket) -> str | None:
    return ticket.movie.audio_description_path if ticket.movie is not None else None


def open_screening(ticket: Ticket, now: datetime, margin: timedelta) -> Screening:
    """The screening that a ticket opens at *now*.

    Raises ScreeningCancelledError, NotEnrichedError, TicketParkedError, ScreeningEndedError.
    """
    if ticket.state is PurchaseState.CANCELLED:
        raise ScreeningCancelledError(ticket.correlation_id, "ticket")
    screening = ticket.screening
    if screening is None:
        if ticket.state is PurchaseState.PARKED:
            raise TicketParkedError(ticket.correlation_id, _PARKED_RETRY_S)
        raise NotEnrichedError(ticket.correlation_id, enriching_retry_s(ticket, now))
    if position(screening, now).phase is Phase.CANCELLED:
        raise ScreeningCancelledError(ticket.correlation_id)
    if now >= listening_ends(screening, margin):
        raise ScreeningEndedError(ticket.correlation_id)
    return screening


def enriching_retry_s(ticket: Ticket, now: datetime) -> int:
    """When to ask again for a ticket that is being looked up: the longer that takes, the later."""
    waited_s = int((now - ticket.purchased_at).total_seconds())
    return max(_ENRICHING_RETRY_S, min(waited_s // 10, _LONGEST_RETRY_S))


def choose_ticket(
    tickets: Sequence[Ticket], movie_id: str, now: datetime, margin: timedelta
) -> Ticket:
    """The ticket for *movie_id* whose screening runs at *now*, else the next one.

    Where none is open, the one that says best why: still being looked up, then over, then
    cancelled. Raises NoTicketError.
    """
    candidates = [ticket for ticket in tickets if ticket.movie_id == movie_id]
    if not candidates:
        raise NoTicketError(movie_id)
    return min(candidates, key=lambda ticket: _rank(ticket, now, margin))


def _rank(ticket: Ticket, now: datetime, margin: timedelta) -> tuple[int, float]:
    """Order of preference; among equals the screening that is nearest to *now*."""
    screening = ticket.screening
    if ticket.state is PurchaseState.CANCELLED:
        return (5, 0.0)
    if screening is None:
        return (3, 0.0)
    place = position(screening, now)
    distance_s = abs(place.offset_s)
    if place.phase is Phase.CANCELLED:
        return (5, distance_s)
    if place.phase in {Phase.PREVIEWS, Phase.FEATURE}:
        return (0, distance_s)
    if place.phase is Phase.UPCOMING:
        return (1, distance_s)
    # The credits are over: still open within the margin.
    return (2 if now < listening_ends(screening, margin) else 4, distance_s)


def _opening(
    standing: Standing, screening: Screening, track: Track, now: datetime, until: datetime
) -> Opening:
    place = position(screening, now)
    return Opening(
        standing=standing,
        open_until=until,
        screening=screening,
        track=track,
        now=now,
        place=place,
        position_s=track_position_s(place.offset_s, track),
    )


def _claims(
    ticket: Ticket, screening: Screening, track: Track, expires_at: datetime
) -> StreamClaims:
    return StreamClaims(
        ticket=ticket.correlation_id,
        screening=screening.id,
        movie_id=track.movie_id,
        language=track.language,
        version=track.version,
        expires_at=expires_at,
    )
