"""/openapi.json: every route, from the models that check the requests."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.openapi import document
from gateway.routes import ROUTES
from tests.gateway.town import Town

DOCUMENT: Any = json.loads(json.dumps(document(ROUTES, "1.2.3")))


async def test_every_route_of_the_router_is_documented_and_no_other(town: Town) -> None:
    """The router and the document cannot drift apart."""
    app = town.tell.app
    assert app is not None
    routed = set()
    for resource in app.router.resources():
        for route in resource:
            if route.method != "HEAD":
                routed.add((route.method.lower(), plain(resource.canonical)))
    documented = {
        (method, path) for path, methods in DOCUMENT["paths"].items() for method in methods
    }
    assert documented == routed
    assert json.loads(await town.text("/openapi.json"))["paths"] == DOCUMENT["paths"]


def plain(canonical: str) -> str:
    """A router's pattern without its regular expressions, found by counting braces."""
    path, depth, skipping = "", 0, False
    for character in canonical:
        depth += (character == "{") - (character == "}")
        if depth == 1 and character == ":":
            skipping = True
        if depth == 0:
            skipping = False
        if not skipping:
            path += character
    return path


def references(node: Any) -> set[str]:
    """Every $ref below *node*."""
    if isinstance(node, dict):
        found = {node["$ref"]} if "$ref" in node else set()
        return found.union(*(references(value) for value in node.values()))
    if isinstance(node, list):
        return set().union(*(references(value) for value in node))
    return set()


def test_every_reference_leads_to_a_schema() -> None:
    """Nothing dangles, and nothing lies about unused."""
    used = {ref.removeprefix("#/components/schemas/") for ref in references(DOCUMENT)}
    assert used == set(DOCUMENT["components"]["schemas"])


def test_operations_have_names_of_their_own() -> None:
    """Generated clients need one name for each."""
    names = [op["operationId"] for path in DOCUMENT["paths"].values() for op in path.values()]
    assert len(names) == len(set(names))


def test_a_path_s_parameters_are_declared() -> None:
    """With their patterns."""
    parameters = DOCUMENT["paths"]["/stream/{token}/{rendition}.mp4"]["get"]["parameters"]
    assert [(p["name"], p["in"], p["required"]) for p in parameters] == [
        ("token", "path", True),
        ("rendition", "path", True),
    ]
    assert parameters[1]["schema"]["pattern"] == "^[a-z0-9]+-[0-9]+k$"


def test_a_purchase_is_described_by_the_model_that_checks_it() -> None:
    """Six required fields, 202, and each refusal with its code."""
    operation = DOCUMENT["paths"]["/tell/purchase"]["post"]
    reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    schema = DOCUMENT["components"]["schemas"][reference.rpartition("/")[2]]
    assert set(schema["required"]) == {
        "purchase_id",
        "movie_id",
        "place_id",
        "auditorium_number",
        "showtime_id",
        "purchased_at",
    }
    assert set(operation["responses"]) == {
        "202", "400", "401", "408", "409", "413", "415", "422", "429", "500", "503"
    }  # fmt: skip
    assert "`intake-full`" in operation["responses"]["503"]["description"]
    assert operation["security"] == [{"webhook": []}]


@pytest.mark.parametrize("path", sorted(DOCUMENT["paths"]))
def test_every_refusal_is_a_problem(path: str) -> None:
    """Each 4xx and 5xx names the one media type (but /readyz, which tells of its parts).

    A person who asks for a page gets a page.
    """
    expected = (
        "text/html" if path.partition("/")[2].startswith("ops") else "application/problem+json"
    )
    for operation in DOCUMENT["paths"][path].values():
        for status, response in operation["responses"].items():
            if int(status) >= 400 and (path, status) != ("/readyz", "503"):
                assert set(response["content"]) == {expected}
