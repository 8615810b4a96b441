"""axe-core in a page, in each look that the phone's owner may have set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.async_api import Page

AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
# What passes is counted, and not gone through element by element.
RUN = """axe.run({ resultTypes: ["violations"],
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })"""
# All that a look can change.
RUN_COLOURS = """axe.run({ resultTypes: ["violations"], runOnly: { type: "rule",
  values: ["color-contrast", "link-in-text-block"] } })"""
# AAA's contrast (WCAG 1.4.6) beside it: the promise to listeners.
RUN_COLOURS_AAA = RUN_COLOURS.replace('["color-', '["color-contrast-enhanced", "color-')
# axe asks for the fill of the letters first, which Chromium tells as it was before the palette was
# forced; nothing here sets one, so the colour is what is painted.
_AS_PAINTED = """(() => {
  const value = CSSStyleDeclaration.prototype.getPropertyValue;
  CSSStyleDeclaration.prototype.getPropertyValue = function (name) {
    return name === "-webkit-text-fill-color" ? "" : value.call(this, name);
  };
})()"""
# As the phone's owner may have set it.
LOOKS: dict[str, dict[str, Any]] = {
    "dark": {"color_scheme": "dark", "forced_colors": "none"},
    "light": {"color_scheme": "light", "forced_colors": "none"},
    "forced colours, dark": {"color_scheme": "dark", "forced_colors": "active"},
    "forced colours, light": {"color_scheme": "light", "forced_colors": "active"},
}
# Colours on their way from one to the other are no colours of ours.
_AT_REST = """async () => {
  const transitions = document.getAnimations().filter((one) => one instanceof CSSTransition);
  await Promise.all(transitions.map((one) => one.finished.catch(() => {})));
}"""


async def violations(page: Page, run: str = RUN) -> list[str]:
    """What axe finds, a line for each rule with the elements; [] is what we want."""
    # Evaluated from outside the page, so its own strict policy stays in force.
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE.read_text(encoding="utf-8"))
        await page.evaluate(_AS_PAINTED)
    await page.evaluate(_AT_REST)
    results: dict[str, Any] = await page.evaluate(run)
    enough = 10 if run == RUN else 0
    assert len(results["passes"]) > enough, "axe has checked next to nothing"
    return [
        f"{rule['id']}: {', '.join(str(node['target']) for node in rule['nodes'])}"
        for rule in results["violations"]
    ]


async def violations_in_all_looks(page: Page) -> dict[str, list[str]]:
    """Every rule on the screen as it is, and those on colour in each look; {} is what we want."""
    found = {"any look": await violations(page)}
    for look, media in LOOKS.items():
        await page.emulate_media(**media)
        found[look] = await violations(page, RUN_COLOURS_AAA)
    return {look: rules for look, rules in found.items() if rules}
