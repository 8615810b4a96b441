"""`tell screenings`, beside a running gateway: its listeners hear of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.gateway.processes import run_tell, write_config
from tests.gateway.routes.test_screening_events import sold_and_claimed, ticket
from tests.gateway.streams import listening
from tests.gateway.town import Town


@pytest.fixture
def config(town: Town) -> Path:
    """The town's config.toml."""
    return write_config(town.folder / "config.toml", town.settings)


async def screenings(config: Path, *arguments: str) -> str:
    """Stdout of a command that succeeds."""
    code, out, err = await run_tell("screenings", *arguments, "--config", str(config))
    assert code == 0, err
    return out


@pytest.mark.both_databases
async def test_a_correction_reaches_the_gateway_s_listeners(town: Town, config: Path) -> None:
    """From another process: by the log of events, which is the same for all."""
    screening = await town.show(starts_in=600)
    sold, listener = await sold_and_claimed(town, screening)
    named = ("local", screening.showtime_id)
    async with listening(town.tell, listener) as ears:
        said = await screenings(config, "delay", *named, "6", "--note", "a torn film")
        assert "± 60.0 s by the operator" in said
        heard = await ears.next()
        assert heard.kind == "screening.changed"
        wanted = screening.movie_start + timedelta(minutes=6)
        assert datetime.fromisoformat(heard.data["ticket"]["movie_start"]) == wanted
        at = (town.clock.now + timedelta(seconds=5)).isoformat()
        await screenings(config, "start", *named, "--at", at, "--bound-ms", "500")
        assert (await ears.next()).data["ticket"]["movie_start_source"] == "operator"
        await screenings(config, "clear", *named)
        await ears.next()
    shown = await ticket(town, sold, listener)
    assert datetime.fromisoformat(shown["movie_start"]) == screening.movie_start
    history = (await screenings(config, "history", *named)).splitlines()
    assert len(history) == 4
    assert "(operator): a torn film" in history[1]
    assert "± 500 ms (operator)" in history[2]
    assert "(schedule, revision 1)" in history[3]


@pytest.mark.both_databases
async def test_the_list_shows_what_starts_soon(town: Town, config: Path) -> None:
    """By the machine's own clock, so the showing is put there."""
    town.clock.now = datetime.now(UTC)
    screening = await town.show(starts_in=600)
    await sold_and_claimed(town, screening)
    out = await screenings(config, "list", "--hours", "1")
    assert screening.showtime_id in out.replace("\n", "")
    assert "by the schedule" in " ".join(out.split())
    assert "No film starts" in await screenings(config, "list", "--environment", "staging")


async def test_slips_are_said_in_one_line(town: Town, config: Path) -> None:
    """Exit code 1, the mend, and no traceback."""
    screening = await town.show()
    await sold_and_claimed(town, screening)
    for arguments, said in (
        (("clear", "local", "st-none"), "there is no showtime st-none"),
        (("start", "local", screening.showtime_id, "--at", "7:36"), "write 2026-03-01T19:36:20Z"),
        (
            ("start", "local", screening.showtime_id, "--at", "2020-01-01T00:00:00Z"),
            "look at the date",
        ),
        (("delay", "local", screening.showtime_id, "1", "--note", "x" * 300), "shorten it"),
    ):
        code, out, err = await run_tell("screenings", *arguments, "--config", str(config))
        assert (code, out) == (1, "")
        assert said in err
        assert err.count("\n") == 1
