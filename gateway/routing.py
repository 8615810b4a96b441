"""A route as data: what the router, the handlers and /openapi.json all read."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from aiohttp import web
from pydantic import BaseModel

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Security = Literal["listener", "listener-optional", "webhook", "operator"]

_PLACEHOLDER = re.compile(r"\{(\w+)(?::((?:[^{}]|\{[^{}]*\})+))?\}")


@dataclass(frozen=True, slots=True)
class Answer:
    """One good answer of a route; without a model its body is of *media_types*, or empty."""

    status: int
    description: str
    model: type[BaseModel] | None = None
    media_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation. `errors` are rows of gateway.problems.TABLE; GET answers HEAD too.

    A `form` is sent as HTML forms are. `pages`: a person asks, so that what goes wrong is a page.
    """

    method: Literal["GET", "POST", "DELETE"]
    path: str
    handler: Handler
    tag: str
    summary: str
    answers: tuple[Answer, ...]
    errors: tuple[type[Exception], ...] = ()
    body: type[BaseModel] | None = None
    form: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    security: Security | None = None
    pages: bool = False

    @property
    def documented_path(self) -> str:
        """The path as OpenAPI writes it: placeholders without their patterns."""
        return _PLACEHOLDER.sub(r"{\1}", self.path)

    @property
    def parameters(self) -> dict[str, str | None]:
        """Each placeholder of the path with its pattern."""
        return {name: pattern or None for name, pattern in _PLACEHOLDER.findall(self.path)}

    @property
    def operation_id(self) -> str:
        """Stable name for generated clients: the handler's."""
        return getattr(self.handler, "__name__", self.summary)


def add_routes(app: web.Application, routes: tuple[Route, ...]) -> None:
    """Put every route into the router, in order: the first that fits a path answers it."""
    for route in routes:
        if route.method == "GET":
            app.router.add_get(route.path, route.handler, allow_head=True)
        else:
            app.router.add_route(route.method, route.path, route.handler)


def pattern_of(request: web.Request) -> str:
    """The route's pattern, for logs and metrics: it holds no id and no token."""
    resource = request.match_info.route.resource
    if resource is None:
        return "unmatched"
    return _PLACEHOLDER.sub(r"{\1}", resource.canonical)
