"""What the tests of tokens sign."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from media.tokens import StreamClaims

NOW = datetime(2026, 11, 22, 19, 30, tzinfo=UTC)
CLAIMS = StreamClaims(
    ticket="q7m2w5x4c3v6b8n9k1l0",
    screening=4711,
    movie_id="one-week",
    language="en",
    version="0123456789abcdef",
    expires_at=NOW + timedelta(minutes=10),
)
