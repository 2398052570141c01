"""axe-core (vendor/, Mozilla Public License 2.0): what of a screen somebody cannot see, hear or reach."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_SOURCE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
#: WCAG 2.1, levels A and AA.
_STANDARD = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
#: Dark differs by its colours alone.
_DARK = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
_LIGHT = {"runOnly": {"type": "tag", "values": _STANDARD}}
_RUN = """
async (options) => (await axe.run(document, {...options, resultTypes: ["violations"], preload: false})).violations
    .flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.target.join(" ")} ${node.html.slice(0, 160)}`))
"""


def violations(page: Any) -> list[str]:
    """In light, then in dark: rule, place, element."""
    # By the browser's own channel: the page's policy allows no script but its own.
    page.evaluate(_SOURCE)
    found = page.evaluate(_RUN, _LIGHT)
    page.evaluate("document.documentElement.classList.add('dark')")
    found += [f"dark {each}" for each in page.evaluate(_RUN, _DARK)]
    page.evaluate("document.documentElement.classList.remove('dark')")
    return found
