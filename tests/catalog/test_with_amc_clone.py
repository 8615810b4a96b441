"""Tell's catalog against the partner's simulator itself, over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer

from amc_clone.app import create_app
from amc_clone.webhooks import signed_headers
from catalog.enrichment.enricher import Enrichment
from catalog.keys.webhooks import WebhookKeySet, WebhookSecret, verify_webhook
from catalog.models import PurchaseState
from catalog.partner.client import PartnerClient
from catalog.purchases.intake import Intake
from catalog.purchases.tickets import Tickets
from catalog.screenings.timeline import Phase, position
from catalog.store.database import Database
from tests.catalog.samples import EVENING, Clock, accept, notice, settled

SECRET = b"s" * 32


@pytest.fixture
async def amc_url(tmp_path: Path, clock: Clock) -> AsyncIterator[str]:
    """Address of a seeded AMC-clone; it tells nobody of its sales."""
    app = create_app(
        database_url=tmp_path / "amc.db",
        tell_url="http://127.0.0.1:9",
        key_id="key-1",
        secret=SECRET,
        clock=clock,
        seed_data=True,
    )
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


async def test_a_purchase_of_the_seeded_chain_becomes_a_ticket(
    amc_url: str, database: Database, intake: Intake, tickets: Tickets, clock: Clock
) -> None:
    """What AMC-clone answers about its own screenings is understood, to the last field."""
    async with ClientSession() as session:
        async with session.get(f"{amc_url}api/screenings") as response:
            listed = (await response.json())["screenings"][:20]
        enrichment = Enrichment(
            database,
            {"prod": PartnerClient(session, amc_url, timeout_s=10)},
            clock,
            retry_first_s=10,
            retry_max_s=300,
            concurrency=4,
        )
        await enrichment.start()
        sold = [
            await accept(
                intake,
                "prod",
                notice(
                    purchase_id=f"p-{number}",
                    movie_id=showing["movie_id"],
                    place_id=showing["place_id"],
                    auditorium_number=showing["auditorium_number"],
                    showtime_id=showing["showtime_id"],
                ),
                f"msg-{number}",
            )
            for number, showing in enumerate(listed)
        ]
        await settled(enrichment)
        await enrichment.stop()
    assert sold
    for correlation_id, showing in zip(sold, listed, strict=True):
        ticket = await tickets.by_correlation(correlation_id)
        assert ticket.state is PurchaseState.ENRICHED
        assert ticket.movie is not None
        assert ticket.theater is not None
        assert ticket.screening is not None
        assert ticket.movie.title == showing["title"]
        assert ticket.theater.name == showing["theater_name"]
        assert ticket.screening.movie_start == datetime.fromisoformat(showing["movie_start"])
        at = position(ticket.screening, EVENING)
        assert at.phase is Phase(showing["phase"])
        assert at.offset_s == pytest.approx(showing["offset_s"])


def test_what_amc_clone_signs_is_verified() -> None:
    """The two sides of Standard Webhooks agree, each with its own code."""
    body = b'{"a": 1}'
    headers = signed_headers("msg-1", body, "key-1", SECRET, EVENING)
    verified = verify_webhook(
        {"key-1": WebhookKeySet("prod", "key-1", (WebhookSecret("w1", SECRET),))},
        {name.lower(): value for name, value in headers.items()},
        body,
        EVENING,
        timedelta(minutes=5),
    )
    assert verified.environment == "prod"
