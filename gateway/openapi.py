"""The OpenAPI 3.1 document, made from the routes and the models that check the requests."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from gateway import problems
from gateway.ops import forms
from gateway.ops.sessions import COOKIE
from gateway.routing import Route
from gateway.schemas import Problem

_REF = "#/components/schemas/{model}"
Mode = Literal["validation", "serialization"]


@cache
def document_json(routes: tuple[Route, ...], version: str) -> bytes:
    """The document as it is served; kept, since making it is the longest part of a start."""
    return json.dumps(document(routes, version)).encode()


def document(routes: Sequence[Route], version: str) -> dict[str, Any]:
    """Describe *routes* (OpenAPI 3.1.1; its schemas are JSON Schema 2020-12, as pydantic's are)."""
    models = _models(routes)
    refs, definitions = models_json_schema(sorted(models, key=str), ref_template=_REF)
    paths: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for route in routes:
        paths[route.documented_path][route.method.lower()] = _operation(route, refs)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Tell",
            "version": version,
            "summary": "Audio description in sync with the film, from the ticket.",
        },
        "paths": dict(paths),
        "components": {
            "schemas": definitions.get("$defs", {}),
            "securitySchemes": {
                "listener": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The listener_token of POST /tell/claims.",
                },
                "operator": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": COOKIE,
                    "description": "The session that POST /ops/login opens.",
                },
                "webhook": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "x-api-key",
                    "description": "Names the key set; with webhook-id, webhook-timestamp and "
                    "webhook-signature after Standard Webhooks 1.0.",
                },
            },
        },
    }


def _models(routes: Sequence[Route]) -> set[tuple[type[BaseModel], Mode]]:
    models: set[tuple[type[BaseModel], Mode]] = {(Problem, "serialization")}
    for route in routes:
        if route.body is not None:
            models.add((route.body, "validation"))
        if route.form is not None:
            models.add((route.form, "validation"))
        models.update((a.model, "serialization") for a in route.answers if a.model is not None)
    return models


def _operation(route: Route, refs: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.operation_id,
        "summary": route.summary,
        "tags": [route.tag],
        "responses": _responses(route, refs),
    }
    if parameters := [*_path_parameters(route), *_query_parameters(route)]:
        operation["parameters"] = parameters
    if route.body is not None:
        schema = refs[route.body, "validation"]
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    if route.form is not None:
        schema = refs[route.form, "validation"]
        operation["requestBody"] = {
            "required": True,
            "content": {forms.MEDIA_TYPE: {"schema": schema}},
        }
    if route.security == "listener-optional":
        operation["security"] = [{}, {"listener": []}]
    elif route.security is not None:
        operation["security"] = [{route.security: []}]
    return operation


def _responses(route: Route, refs: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for answer in route.answers:
        response: dict[str, Any] = {"description": answer.description}
        content: dict[str, Any] = {media_type: {} for media_type in answer.media_types}
        if answer.model is not None:
            content["application/json"] = {"schema": refs[answer.model, "serialization"]}
        if content:
            response["content"] = content
        responses[str(answer.status)] = response
    for status, kinds in _problems(route).items():
        codes = ", ".join(f"`{code}`" for code in sorted(kinds))
        responses[str(status)] = {
            "description": f"{'; '.join(sorted(set(kinds.values())))}: {codes}",
            "content": {"text/html": {}}
            if route.pages
            else {problems.MEDIA_TYPE: {"schema": refs[Problem, "serialization"]}},
        }
    return responses


def _problems(route: Route) -> dict[int, dict[str, str]]:
    """Codes and titles of a route's errors by status; a bug is possible everywhere."""
    kinds = [problems.TABLE[error] for error in route.errors]
    if route.parameters:
        # What fits no pattern of the path, or names nothing, is no route at all.
        kinds.append(problems.NOT_FOUND)
    by_status: defaultdict[int, dict[str, str]] = defaultdict(dict)
    for kind in [*kinds, problems.INTERNAL]:
        by_status[kind.status][kind.code] = kind.title
    return dict(sorted(by_status.items()))


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string"} | ({"pattern": f"^{pattern}$"} if pattern else {}),
        }
        for name, pattern in route.parameters.items()
    ]


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    schema = route.query.model_json_schema(ref_template=_REF)
    required = set(schema.get("required", ()))
    return [
        {"name": name, "in": "query", "required": name in required, "schema": field}
        for name, field in schema["properties"].items()
    ]
