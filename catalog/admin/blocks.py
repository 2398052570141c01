"""What pages are built of, besides Django's own form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Button:
    title: str
    url: str
    icon: str = ""
    tone: str = ""
    #: A link to a form; otherwise it acts at once, by POST.
    is_link: bool = False


@dataclass(frozen=True)
class Banner:
    """Something that the merchant must know first, and what can be done about it. Tones as in `show.pill`."""

    text: str
    tone: str = "info"
    title: str = ""
    buttons: Sequence[Button] = ()


@dataclass(frozen=True)
class Figure:
    label: str
    value: str
    tone: str = ""
    hint: str = ""
    #: Where the things are that it counts.
    url: str = ""


@dataclass(frozen=True)
class Card:
    title: str
    rows: Sequence[tuple[str, str]]
    #: The last row is the sum of the others.
    is_sum: bool = False


@dataclass(frozen=True)
class Cards:
    """Side by side where there is room."""

    cards: Sequence[Card]


@dataclass(frozen=True)
class Column:
    title: str
    #: Aligned to the right.
    is_number: bool = False
    #: As narrow as its content, which is never broken.
    is_narrow: bool = False
    #: On a phone there is no head of the table, and numbers alone keep their title. This one needs it too.
    is_labelled: bool = False
    #: Holds buttons; has no title to be seen.
    is_buttons: bool = False


#: What stands in one cell: text, or what can be done with the row.
Cell = str | Sequence[Button]


@dataclass(frozen=True)
class Table:
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    empty: str = "Nothing yet."
    #: Text and address.
    link: tuple[str, str] | None = None
    note: str = ""
    #: Beside its title.
    buttons: Sequence[Button] = ()

    @property
    def cells(self) -> list[list[tuple[Column, Cell]]]:
        return [list(zip(self.columns, row, strict=True)) for row in self.rows]


def columns(*titles: str) -> list[Column]:
    """Columns by their titles: "#Price" is a number, "-When" is narrow, "-=Since" keeps its title on a phone too,
    "!Do" holds buttons.
    """
    found = []
    for title in titles:
        name = title.lstrip("#-=!")
        marks = title.removesuffix(name)
        is_buttons = "!" in marks
        found.append(Column(name, "#" in marks, "-" in marks or is_buttons, "#" in marks or "=" in marks, is_buttons))
    return found


@dataclass(frozen=True)
class Copy:
    """Text to be copied by a click."""

    label: str
    text: str
    #: Shown when asked for.
    is_folded: bool = False


@dataclass(frozen=True)
class Copies:
    title: str
    copies: Sequence[Copy]
    note: str = ""
    link: tuple[str, str] | None = None


@dataclass(frozen=True)
class Once:
    """Something to be shown now and never again. `sentence`: what was done, without it."""

    title: str
    sentence: str
    copies: Sequence[Copy]
    note: str = ""


Part = Table | Cards | Copies


@dataclass(frozen=True)
class Parts:
    """What is around the form of one object."""

    banners: Sequence[Banner] = ()
    figures: Sequence[Figure] = ()
    buttons: Sequence[Button] = ()
    before: Sequence[Part] = ()
    after: Sequence[Part] = ()
