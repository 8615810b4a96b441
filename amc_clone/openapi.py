"""The OpenAPI 3.1 document of what programs may ask, from the models that check and answer it.

The pages for people are not in it, but for those the API has the same.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any, Literal

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from amc_clone.routes import answers, inputs
from amc_clone.routes.problems import PROBLEM_JSON

_REF = "#/components/schemas/{model}"
_BAD = HTTPStatus.BAD_REQUEST
_FOREIGN = HTTPStatus.FORBIDDEN
_UNKNOWN = HTTPStatus.NOT_FOUND
_CONFLICT = HTTPStatus.CONFLICT
_TOO_LARGE = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
# A bug, and a database that does not answer, are possible everywhere.
_ANYWHERE = (HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE)
_POSTED = (_BAD, _FOREIGN, _TOO_LARGE)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path; `refusals` are the statuses of its problems."""

    method: Literal["get", "post"]
    path: str
    operation_id: str
    summary: str
    answer: type[BaseModel] | None
    status: HTTPStatus = HTTPStatus.OK
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    refusals: tuple[HTTPStatus, ...] = ()


def _get(
    path: str,
    operation_id: str,
    summary: str,
    answer: type[BaseModel] | None,
    query: type[BaseModel] | None = None,
    refusals: tuple[HTTPStatus, ...] = (),
) -> Operation:
    """Something that is read."""
    return Operation("get", path, operation_id, summary, answer, query=query, refusals=refusals)


def _post(
    path: str,
    operation_id: str,
    summary: str,
    answer: type[BaseModel],
    body: type[BaseModel],
    status: HTTPStatus = HTTPStatus.OK,
) -> Operation:
    """Something that is done: whatever it is, it may be refused in the same ways."""
    refusals = (*_POSTED, _UNKNOWN, _CONFLICT)
    return Operation(
        "post", path, operation_id, summary, answer, status, body=body, refusals=refusals
    )


def _screening(action: str, summary: str, body: type[BaseModel]) -> Operation:
    """What may happen to a screening; the path ends in its name."""
    path = f"/api/screenings/{{showtime_id}}/{action}"
    return _post(path, action, summary, answers.ListedScreening, body)


OPERATIONS: tuple[Operation, ...] = (
    _get(
        "/screening/details",
        "details",
        "What a sold ticket is for",
        answers.ScreeningDetails,
        inputs.DetailsQuery,
        (_BAD, _UNKNOWN),
    ),
    _get(
        "/time", "time", "Exchange clock readings", answers.ClockAnswer, inputs.TimeQuery, (_BAD,)
    ),
    _get("/healthz", "health", "Is the service alive", answers.Health),
    _get("/openapi.json", "openapi", "This document", None),
    _get("/api/theaters", "theaters", "All cinemas", answers.Theaters),
    _get(
        "/api/screenings",
        "listing",
        "Screenings by previews_start",
        answers.Listing,
        inputs.ListingParameters,
        (_BAD, _UNKNOWN),
    ),
    _post(
        "/api/screenings",
        "add",
        "Put a screening on",
        answers.ListedScreening,
        inputs.NewScreeningBody,
        HTTPStatus.CREATED,
    ),
    _screening("start", "The film begins now", inputs.StartBody),
    _screening("delay", "The film begins later", inputs.DelayBody),
    _screening("cancel", "The screening does not take place", inputs.NoBody),
    _screening("move", "It takes place in another auditorium", inputs.MoveBody),
    _post(
        "/api/purchases",
        "sell",
        "Sell a ticket",
        answers.PurchaseFacts,
        inputs.SaleBody,
        HTTPStatus.CREATED,
    ),
    _get(
        "/api/purchases/{purchase_id}",
        "purchase",
        "A ticket as it stands",
        answers.PurchaseFacts,
        refusals=(_UNKNOWN,),
    ),
    _post(
        "/api/purchases/{purchase_id}/cancel",
        "cancel_purchase",
        "Take a ticket back",
        answers.PurchaseFacts,
        inputs.NoBody,
    ),
)


@cache
def document_json() -> bytes:
    """The document as it is served; kept, since making it is the longest part of a start."""
    return json.dumps(document()).encode()


def document(operations: Sequence[Operation] = OPERATIONS) -> dict[str, Any]:
    """Describe *operations* (OpenAPI 3.1.1; its schemas are JSON Schema 2020-12, as pydantic's)."""
    models: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {
        (answers.Problem, "serialization"): None
    }
    for operation in operations:
        if operation.body is not None:
            models[operation.body, "validation"] = None
        if operation.answer is not None:
            models[operation.answer, "serialization"] = None
    refs, definitions = models_json_schema(list(models), ref_template=_REF)
    paths: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for operation in operations:
        paths[operation.path][operation.method] = _described(operation, refs)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "AMC-clone",
            "version": "1",
            "summary": "A simulated cinema chain. For loopback: its operator needs no key.",
        },
        "paths": dict(paths),
        "components": {"schemas": definitions.get("$defs", {})},
    }


def _described(operation: Operation, refs: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.operation_id,
        "summary": operation.summary,
        "responses": _responses(operation, refs),
    }
    if parameters := [*_path_parameters(operation.path), *_query_parameters(operation.query)]:
        described["parameters"] = parameters
    if operation.body is not None:
        schema = refs[operation.body, "validation"]
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    return described


def _responses(operation: Operation, refs: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object"}
    if operation.answer is not None:
        schema = refs[operation.answer, "serialization"]
    responses: dict[str, Any] = {
        str(int(operation.status)): {
            "description": operation.status.phrase,
            "content": {"application/json": {"schema": schema}},
        }
    }
    problem = {PROBLEM_JSON: {"schema": refs[answers.Problem, "serialization"]}}
    for status in sorted({*operation.refusals, *_ANYWHERE}):
        responses[str(int(status))] = {"description": status.phrase, "content": problem}
    return responses


def _path_parameters(path: str) -> Iterable[dict[str, Any]]:
    for part in path.split("/"):
        if part.startswith("{"):
            yield {
                "name": part[1:-1],
                "in": "path",
                "required": True,
                # A path's part cannot be empty.
                "schema": {"type": "string", "minLength": 1},
            }


def _query_parameters(model: type[BaseModel] | None) -> Iterable[dict[str, Any]]:
    if model is None:
        return
    schema = TypeAdapter(model).json_schema(by_alias=True)
    for name, described in schema["properties"].items():
        yield {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "schema": _given(described),
        }


def _given(schema: dict[str, Any]) -> dict[str, Any]:
    """Schema of a parameter that is there: null is how a model says that it is not."""
    options = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    kept = {name: value for name, value in schema.items() if name not in {"anyOf", "default"}}
    return {**kept, **options[0]} if options else kept
