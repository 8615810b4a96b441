"""What schemathesis loads: credentials for its requests, and ids that exist.

Without a right signature and a known ticket it would see 401 and 404 and nothing behind them.
`CONTRACT_WORLD` holds what the test knows of the running server, as JSON.
"""

from __future__ import annotations

import json
import os
from random import Random
from typing import Any

import requests
import schemathesis
from schemathesis import AuthContext, HookContext
from schemathesis.core.parameters import ParameterLocation

from catalog.keys.webhooks import sign_webhook
from tests.openapi.sensible import sensible_body, sensible_query

WORLD: dict[str, Any] = json.loads(os.environ["CONTRACT_WORLD"])
# Of ten requests so many ask for what exists.
_KNOWN_OF_TEN = 7

Case = schemathesis.Case[Any]


# The names are the operation's own, so they are not kept for the next one.
@schemathesis.auth(refresh_interval=None)
class Credentials:
    """The listener's bearer, or the name of the key that Signature signs with."""

    def get(self, case: Case, context: AuthContext) -> list[str]:
        """The names of the security schemes that the operation asks for."""
        return _schemes(case)

    def set(self, case: Case, data: list[str], context: AuthContext) -> None:
        """Put the credentials into the request."""
        if "listener" in data:
            # What deletes is somebody else's doing, or there would be no ticket left to ask for.
            token = WORLD["spare" if case.method == "DELETE" else "bearer"]
            case.headers["Authorization"] = f"Bearer {token}"
        if "webhook" in data:
            case.headers["x-api-key"] = "local"


class Signature(requests.auth.AuthBase):
    """Signs the very bytes that go over the wire."""

    def __init__(self, webhook_id: str) -> None:
        self._webhook_id = webhook_id

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the headers of Standard Webhooks 1.0."""
        body = request.body if request.body is not None else b""
        raw = body.encode() if isinstance(body, str) else body
        assert isinstance(raw, bytes), "a body is sent in one piece"
        secret, now_s = bytes.fromhex(WORLD["secret"]), WORLD["now_s"]
        request.headers["webhook-id"] = self._webhook_id
        request.headers["webhook-timestamp"] = str(now_s)
        request.headers["webhook-signature"] = sign_webhook(secret, self._webhook_id, now_s, raw)
        return request


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Ask for what exists, most of the time; what is wrong on purpose stays so."""
    if "webhook" in _schemes(case):
        kwargs["auth"] = Signature(f"msg_{case.id}")
    if not _wrong(case, ParameterLocation.BODY):
        case.body = sensible_body(case.body, WORLD)
    if case.query and not _wrong(case, ParameterLocation.QUERY):
        known = WORLD.get("query", {}).get(case.operation.path, {})
        case.query = sensible_query({**case.query, **known}, WORLD)
    dice = Random(case.id)  # noqa: S311  (chooses, guards nothing)
    known = WORLD["paths"].get(case.operation.path, {})
    if known and not _wrong(case, ParameterLocation.PATH) and dice.randrange(10) < _KNOWN_OF_TEN:
        case.path_parameters = {**case.path_parameters, **known}


def _wrong(case: Case, location: ParameterLocation) -> bool:
    return case.meta is not None and case.meta.is_negative_at(location)


def _schemes(case: Case) -> list[str]:
    return [name for each in case.operation.definition.raw.get("security", []) for name in each]
