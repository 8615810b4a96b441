"""What the operator's pages need of this process: who she is, her open pages, and their files."""

from __future__ import annotations

from dataclasses import dataclass, field

from catalog.ended_sessions import EndedSessions
from gateway.ops.sessions import Operator
from gateway.ops.streams import OpsStreams
from gateway.pages import WebApp


@dataclass(frozen=True, slots=True)
class Desk:
    """`operator` is None where there is no token for her: then the pages are closed."""

    operator: Operator | None
    files: WebApp
    ended: EndedSessions
    streams: OpsStreams = field(default_factory=OpsStreams)
