"""What somebody without a mouse meets: everything is reached by Tab, and it is seen where one is."""

from __future__ import annotations

from typing import Any

#: What is pressed with a mouse and is no link, button or field that a keyboard reaches.
_UNREACHABLE = """
() => [...document.querySelectorAll("body *")].filter((one) => {
    if (getComputedStyle(one).cursor !== "pointer" || !one.checkVisibility({visibilityProperty: true})) return false;
    if (getComputedStyle(one.parentElement).cursor === "pointer") return false;
    const it = one.closest("a[href], button, input, select, textarea, summary, [tabindex]")
        || one.closest("label")?.control;
    return !it || it.tabIndex < 0;
}).map((one) => `not reached by Tab: ${one.outerHTML.slice(0, 160)}`)
"""
#: Numbers everything that is to be reached; of a group of radio buttons Tab reaches one.
_WANTED = """
() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary")]
    .filter((one) => one.checkVisibility({visibilityProperty: true}) && !one.disabled && one.type !== "hidden"
        && one.type !== "radio" && one.tabIndex >= 0)
    .map((one, number) => {
        one.dataset.tabbed = `${number} ${one.tagName} ${(one.innerText || one.name).trim().slice(0, 30)}`;
        return one.dataset.tabbed;
    })
"""
#: Where one is, and whether it is seen: by an outline of its own or of what is around it.
_HERE = """
() => {
    const one = document.activeElement;
    const ringed = (each) => each && getComputedStyle(each).outlineStyle !== "none"
        && parseFloat(getComputedStyle(each).outlineWidth) > 0;
    const isSeen = ringed(one) || ringed(one.parentElement) || ringed(one.parentElement?.parentElement);
    // The parts of a date are ringed inside, by the browser.
    return [one.dataset.tabbed ?? null, one === document.body, isSeen || one.type === "date"];
}
"""


def unreachable(page: Any) -> list[str]:
    return list(page.evaluate(_UNREACHABLE))


def wanted(page: Any) -> set[str]:
    return set(page.evaluate(_WANTED))


def walk(page: Any, steps: int) -> tuple[set[str], list[str]]:
    """Presses Tab until the page's end, and to it again where it began in a field: what was reached, and not seen."""
    reached: set[str] = set()
    unseen: list[str] = []
    for _ in range(2 * steps + 20):
        page.keyboard.press("Tab")
        name, is_end, is_seen = page.evaluate(_HERE)
        if is_end and len(reached) >= steps:
            break
        if name:
            reached.add(name)
            unseen += [] if is_seen else [name]
    return reached, unseen
