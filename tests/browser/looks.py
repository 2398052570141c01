"""What the eye needs of a page and no tool for accessibility asks."""

from typing import Any

FRAMELESS = """() => [...document.querySelectorAll(
    "#content input:not([type=hidden], [type=checkbox], [type=radio], [type=file]), #content select, #content textarea"
)].filter((box) => box.checkVisibility() && box.getBoundingClientRect().width > 2)
  .filter((box) => !box.closest("label, div, td")?.querySelector(".select2"))
  .filter((box) => {
      for (let each = box, up = 0; each && up < 3; each = each.parentElement, up++)
          if (parseFloat(getComputedStyle(each).borderTopWidth) > 0 && getComputedStyle(each).borderTopStyle !== "none")
              return false;
      return true;
  }).map((box) => `${box.tagName} ${box.name || box.id} has no frame`)"""


def frameless(page: Any) -> list[str]:
    """Fields that cannot be told from the page around them."""
    found: list[str] = page.evaluate(FRAMELESS)
    return found
