"""The API's schema with our answers in it.

A field is answered by its resolver in `queries`, `objects` or `mutations`, else by the attribute of the same name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
)

from sandbox.shopify import access, money, mutations, order_fields, queries, stock_fields

if TYPE_CHECKING:
    from sandbox.shopify.shop import Shop

SDL = Path(__file__).with_name("schema.graphql")
Resolver = Callable[..., Any]

RESOLVERS: dict[str, dict[str, Resolver]] = {
    "QueryRoot": queries.ROOT,
    "Mutation": mutations.ROOT,
    **order_fields.FIELDS,
    **stock_fields.FIELDS,
}
SCALARS: dict[str, Callable[[Any], Any]] = {
    "DateTime": lambda value: value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else value,
    "Decimal": lambda value: money.text(Decimal(value)),
    "Money": lambda value: _price(Decimal(value)),
    "UnsignedInt64": str,
    "URL": str,
}


class Unheard(str):
    """A value of an enum that is not in this schema."""


@dataclass
class Context:
    """What resolvers know of the request."""

    shop: Shop
    #: Warnings about searches, for the answer's extensions.
    searches: list[dict[str, Any]] = field(default_factory=list)


@cache
def schema() -> GraphQLSchema:
    made = build_schema(SDL.read_text())
    for kind in made.type_map.values():
        if kind.name.startswith("__"):
            continue
        if isinstance(kind, GraphQLObjectType):
            for name, definition in kind.fields.items():
                definition.resolve = _guarded(kind.name, name, definition)
        elif isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
            kind.resolve_type = lambda value, info, abstract: _type_name(value)
        elif isinstance(kind, GraphQLScalarType) and kind.name in SCALARS:
            kind.serialize = SCALARS[kind.name]  # type: ignore[method-assign, assignment]
        elif isinstance(kind, GraphQLEnumType):
            kind.serialize = _named(kind.serialize)  # type: ignore[method-assign, assignment]
    return made


def _named(serialize: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Values of an enum, and those that a later version of the API may have."""
    return lambda value: str(value) if isinstance(value, Unheard) else serialize(value)


def _price(amount: Decimal) -> str:
    """At least two digits after the point, more for currencies that have them."""
    plain = f"{amount.normalize():f}"
    return plain if len(plain.partition(".")[2]) > 2 else f"{amount:.2f}"


def _type_name(thing: Any) -> str:
    """The schema's type of a thing: its gid says it."""
    if isinstance(thing, order_fields.PurchasingCompany):
        return "PurchasingCompany"
    return str(thing.gid.removeprefix("gid://shopify/").partition("/")[0])


def _guarded(kind: str, name: str, definition: GraphQLField) -> Resolver:
    """Scopes first, then the answer."""
    path = f"{kind}.{name}"
    answer = RESOLVERS.get(kind, {}).get(name) or _attribute(name, isinstance(definition.type, GraphQLNonNull))
    if path not in access.NEEDED and path not in access.PERSONAL:
        return answer

    def resolve(source: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
        shop = info.context.shop
        access.check(path, shop.scopes, customer_data=shop.customer_data)
        return answer(source, info, **arguments)

    return resolve


def _attribute(name: str, is_required: bool) -> Resolver:
    attribute = "gid" if name == "id" else re.sub(r"[A-Z]", lambda match: f"_{match[0].lower()}", name)

    def resolve(source: Any, info: GraphQLResolveInfo) -> Any:
        value = source[name] if isinstance(source, dict) else getattr(source, attribute)
        return None if value == "" and not is_required else value  # where we have no text, Shopify has null

    return resolve
