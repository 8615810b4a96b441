"""Writing server-sent events (HTML Living Standard 9.2, "Server-sent events"). Pure."""

from __future__ import annotations

MEDIA_TYPE = "text/event-stream"


def frame(event: str, data: str, event_id: int | None = None) -> bytes:
    """One event; *data* has no line break, as JSON has none.

    With *event_id* a client that reconnects goes on behind this event. Of several that share an id
    only the last one may carry it: a client that got the first alone would never see the others.
    """
    head = f"event: {event}\n" if event_id is None else f"id: {event_id}\nevent: {event}\n"
    return f"{head}data: {data}\n\n".encode()


def position(event_id: int) -> bytes:
    """A heartbeat: tells where the client stands, and dispatches nothing, as it has no data.

    HTML Living Standard 9.2.6, "dispatch the event": the id counts, an empty data buffer ends it.
    """
    return f"id: {event_id}\n\n".encode()


def retry(milliseconds: int) -> bytes:
    """How long a client waits before it reconnects."""
    return f"retry: {milliseconds}\n\n".encode()


def read_last_event_id(value: str | None) -> int | None:
    """Number in a Last-Event-ID header; None without one, -1 for one that is none of ours."""
    if value is None:
        return None
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 18 else -1
