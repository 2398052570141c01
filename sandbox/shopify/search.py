"""Shopify's search syntax: sku:'A' OR sku:'B', updated_at:>='2026-11-22T09:55:00Z', (a b) AND NOT c.

https://shopify.dev/docs/api/usage/search-syntax. What cannot be understood is not refused: it is left out of the
search, and only a warning in the answer's extensions says so. So is it at Shopify.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal

TOKEN = re.compile(
    r"""\s*(?:(?P<open>\()|(?P<close>\))|(?P<word>(?:-(?=\S))?(?:[A-Za-z_][\w.]*:)?(?:>=|<=|>|<)?"""
    r"""(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[^\s()'"]+)))"""
)
TERM = re.compile(r"""(?P<minus>-)?(?:(?P<field>[A-Za-z_][\w.]*):)?(?P<op>>=|<=|>|<)?(?P<value>.*)""", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Term:
    field: str
    op: str
    value: str
    is_quoted: bool


@dataclass(frozen=True, slots=True)
class Tree:
    kind: Literal["and", "or", "not", "term"]
    parts: tuple[Tree, ...] = ()
    term: Term | None = None

    def terms(self) -> Iterator[Term]:
        if self.term:
            yield self.term
        for part in self.parts:
            yield from part.terms()


#: (what is searched, term) → does it match. ValueError: the term cannot be understood.
Matcher = Callable[[Any, Term], bool]


@dataclass
class Search:
    """A parsed query, ready to be asked of one thing after the other."""

    text: str
    matchers: Mapping[str, Matcher]
    tree: Tree = field(init=False)
    warnings: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tree = parse(self.text)

    def check(self, sample: Any) -> None:
        """Collect warnings, by asking every term of one thing."""
        for term in self.tree.terms():
            try:
                self._ask(term, sample)
            except ValueError as error:
                self.warnings.append({"field": term.field or "default", "message": str(error)})

    def among(self, things: Iterable[Any]) -> list[Any]:
        """Those that match."""
        return [thing for thing in self._likely(things) if self._matches(self.tree, thing)]

    def _likely(self, things: Iterable[Any]) -> Iterable[Any]:
        """A long list of SKUs is not asked of each thing: what it is looked for by is looked up among theirs."""
        terms = list(self.tree.terms())
        matcher = self.matchers.get(terms[0].field) if terms else None
        is_list = self.tree.kind == "or" and all(part.kind == "term" for part in self.tree.parts)
        if not is_list or not isinstance(matcher, InWords) or len({term.field for term in terms}) > 1:
            return things
        if any(term.value.endswith("*") for term in terms):
            return things
        wanted = {words(term.value) for term in terms}
        lengths = {len(each) for each in wanted}
        return (thing for thing in things if not wanted.isdisjoint(runs(words(matcher.text(thing)), lengths)))

    def _matches(self, tree: Tree, thing: Any) -> bool:
        if tree.kind == "and":
            return all(self._matches(part, thing) for part in tree.parts)
        if tree.kind == "or":
            return any(self._matches(part, thing) for part in tree.parts)
        if tree.kind == "not":
            return not self._matches(tree.parts[0], thing)
        assert tree.term
        try:
            return self._ask(tree.term, thing)
        except ValueError:
            return True  # left out of the search

    def _ask(self, term: Term, thing: Any) -> bool:
        if term.field not in self.matchers:
            raise ValueError("Invalid search field for this query.")
        return self.matchers[term.field](thing, term)


def parse(text: str) -> Tree:
    tokens = [match["open"] or match["close"] or match["word"] for match in TOKEN.finditer(text)]
    tree, rest = _alternatives(tokens)
    while rest:  # a stray closing bracket is passed over
        more, rest = _alternatives(rest[1:])
        tree = Tree("and", (tree, more))
    return tree


def _alternatives(tokens: list[str]) -> tuple[Tree, list[str]]:
    first, tokens = _together(tokens)
    parts = [first]
    while tokens and tokens[0] == "OR":
        part, tokens = _together(tokens[1:])
        parts.append(part)
    return (parts[0] if len(parts) == 1 else Tree("or", tuple(parts))), tokens


def _together(tokens: list[str]) -> tuple[Tree, list[str]]:
    parts: list[Tree] = []
    while tokens and tokens[0] not in (")", "OR"):
        if tokens[0] == "AND":
            tokens = tokens[1:]
            continue
        part, tokens = _one(tokens)
        parts.append(part)
    return (parts[0] if len(parts) == 1 else Tree("and", tuple(parts))), tokens


def _one(tokens: list[str]) -> tuple[Tree, list[str]]:
    if tokens[0] == "NOT" and len(tokens) > 1:
        part, rest = _one(tokens[1:])
        return Tree("not", (part,)), rest
    if tokens[0] == "(":
        part, rest = _alternatives(tokens[1:])
        return part, rest[1:]
    match = TERM.fullmatch(tokens[0])
    assert match
    value = match["value"]
    is_quoted = len(value) > 1 and value[0] in "'\"" and value[-1] == value[0]
    if is_quoted:
        value = re.sub(r"\\(.)", r"\1", value[1:-1])
    tree = Tree("term", term=Term((match["field"] or "").lower(), match["op"] or "", value, is_quoted))
    return (Tree("not", (tree,)) if match["minus"] else tree), tokens[1:]


@lru_cache(maxsize=200_000)
def words(text: str) -> tuple[str, ...]:
    """How text is cut for searching: AB-12 → ab, 12."""
    return tuple(re.findall(r"[^\W_]+", text.casefold()))


def runs(text: tuple[str, ...], lengths: set[int]) -> Iterator[tuple[str, ...]]:
    """All words that follow one another, so many at a time."""
    return (text[at : at + length] for length in lengths for at in range(len(text) - length + 1))


@dataclass(frozen=True, slots=True)
class InWords:
    """The term's words follow one another in the text. So sku:'MUG' also finds MUG-BLUE."""

    text: Callable[[Any], str]

    def __call__(self, thing: Any, term: Term) -> bool:
        wanted, there = words(term.value), words(self.text(thing))
        *whole, last = wanted or ("",)
        for at in range(len(there) - len(wanted) + 1):
            ends = there[at + len(whole)] if wanted else ""
            fits = ends.startswith(last) if term.value.endswith("*") else ends == last
            if fits and there[at : at + len(whole)] == tuple(whole):
                return True
        return not wanted


def in_time(get: Callable[[Any], datetime]) -> Matcher:
    """A time must be quoted: Shopify reads an unquoted one up to its second colon, which is no time."""

    def matches(thing: Any, term: Term) -> bool:
        if ":" in term.value and not term.is_quoted:
            raise ValueError(f"Input `{term.value.partition(':')[0]}` is not a valid date.")
        try:
            wanted = datetime.fromisoformat(term.value)
        except ValueError:
            raise ValueError(f"Input `{term.value}` is not a valid date.") from None
        return compare(get(thing), wanted if wanted.tzinfo else wanted.replace(tzinfo=UTC), term.op)

    return matches


def in_numbers(get: Callable[[Any], int]) -> Matcher:
    def matches(thing: Any, term: Term) -> bool:
        if not term.value.isdecimal():
            raise ValueError(f"Input `{term.value}` is not a valid number.")
        return compare(get(thing), int(term.value), term.op)

    return matches


def compare(is_: Any, wanted: Any, op: str) -> bool:
    return bool(
        is_ >= wanted
        if op == ">="
        else is_ <= wanted
        if op == "<="
        else is_ > wanted
        if op == ">"
        else is_ < wanted
        if op == "<"
        else is_ == wanted
    )
