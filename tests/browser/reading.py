"""What a screen reader has of a page: the accessibility tree, its actions, what is said aloud."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from playwright.async_api import CDPSession, Page

from tests.browser.listening import PATIENCE_S

# Notes what is said, by which kind of region, and at which second of the sound; and what is felt.
EAR = """(() => {
  window.said = [];
  const waiting = [];
  const tell = () => {
    for (const { sentence, resolve } of waiting) {
      const found = window.said.find(([, text]) => text.includes(sentence));
      if (found) resolve(found);
    }
  };
  window.hears = (sentence) => new Promise((resolve) => {
    waiting.push({ sentence, resolve });
    tell();
  });
  window.felt = [];
  Navigator.prototype.vibrate = (pattern) => (window.felt.push(pattern), true);
  new MutationObserver((records) => {
    // Emptied and written in one go it is one sentence.
    for (const target of new Set(records.map((record) => record.target))) {
      const role = target.getAttribute?.("role");
      if (role !== "status" && role !== "alert" || !target.textContent) continue;
      const sound = document.getElementById("sound");
      window.said.push([role, target.textContent, sound.paused ? null : sound.currentTime]);
    }
    tell();
  }).observe(document, { childList: true, subtree: true });
})();"""

# What carries no meaning of its own.
_PASSED_OVER = {
    "RootWebArea", "generic", "none", "StaticText", "InlineTextBox", "ListMarker", "LineBreak",
    "Audio", "LabelText",
}  # fmt: skip


async def said(page: Page, sentence: str) -> tuple[str, float | None]:
    """Wait for *sentence*; returns its region's role, and the second of the sound, None if mute.

    The page has EAR. Raises TimeoutError where it is not said.
    """
    async with asyncio.timeout(PATIENCE_S):
        role, _, at_s = await page.evaluate("(sentence) => hears(sentence)", sentence)
        return role, at_s


async def all_said(page: Page) -> list[str]:
    """Every sentence that was said, in order. The page has EAR."""
    sentences: list[str] = await page.evaluate("said.map(([, text]) => text)")
    return sentences


@dataclass(frozen=True, slots=True)
class Node:
    """One thing that a screen reader stops at; `text` is all that stands in it."""

    role: str
    name: str
    description: str
    text: str
    focused: bool
    expanded: bool | None
    backend_id: int

    def __str__(self) -> str:
        """Return it as it is read: role and name."""
        return f"{self.role}: {self.name or self.text}"


class Reader:
    """A screen reader without a voice: it knows the page by its accessibility tree alone."""

    def __init__(self, session: CDPSession) -> None:
        self._session = session

    async def nodes(self) -> list[Node]:
        """Return all that it would stop at, in reading order."""
        answer = await self._session.send("Accessibility.getFullAXTree")
        by_id: dict[str, dict[str, Any]] = {node["nodeId"]: node for node in answer["nodes"]}
        root = next(node for node in answer["nodes"] if "parentId" not in node)
        found: list[Node] = []

        def walk(node: dict[str, Any]) -> str:
            """Read *node* and what is in it; returns its text."""
            role = node.get("role", {}).get("value", "none")
            place = len(found)
            children = [by_id[child] for child in node.get("childIds", []) if child in by_id]
            texts = [walk(child) for child in children]
            if role == "StaticText":
                return str(node.get("name", {}).get("value", ""))
            text = " ".join(filter(None, texts))
            if not node.get("ignored") and role not in _PASSED_OVER:
                found.insert(place, _node(node, role, text))
            return text

        walk(root)
        return found

    async def find(self, role: str, name: str) -> Node:
        """Wait for the one of that role whose name or text is *name*.

        Raises TimeoutError where it does not come, with what is there instead.
        """
        nodes: list[Node] = []
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    nodes = await self.nodes()
                    for node in nodes:
                        if node.role == role and name in (node.name, node.text):
                            return node
                    await asyncio.sleep(0.1)
        except TimeoutError:
            there = "\n".join(map(str, nodes))
            raise TimeoutError(f"no {role} {name!r} among\n{there}") from None

    async def activate(self, role: str, name: str) -> None:
        """Do what it does: a double tap on it, as screen readers hand it on."""
        node = await self.find(role, name)
        resolved = await self._session.send("DOM.resolveNode", {"backendNodeId": node.backend_id})
        await self._session.send(
            "Runtime.callFunctionOn",
            {
                "objectId": resolved["object"]["objectId"],
                "functionDeclaration": "function () { this.click(); }",
                "userGesture": True,
            },
        )


@asynccontextmanager
async def reader_of(page: Page) -> AsyncIterator[Reader]:
    """A reader of *page*."""
    session = await page.context.new_cdp_session(page)
    await session.send("Accessibility.enable")
    await session.send("DOM.enable")
    try:
        yield Reader(session)
    finally:
        await session.detach()


def _node(node: dict[str, Any], role: str, text: str) -> Node:
    states = {each["name"]: each["value"].get("value") for each in node.get("properties", [])}
    return Node(
        role=role,
        name=str(node.get("name", {}).get("value", "")),
        description=str(node.get("description", {}).get("value", "")),
        text=text,
        focused=bool(states.get("focused")),
        expanded=states.get("expanded"),
        backend_id=node["backendDOMNodeId"],
    )
