"""What a request costs, and the bucket that it is paid from. https://shopify.dev/docs/api/usage/limits

Shopify documents only that an object costs 1, a mutation 10 and a connection by its size; the rest of the formula was
fitted to costs that real shops answered with, and is right for all our documents.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    IntValueNode,
    NamedTypeNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    get_directive_values,
    get_named_type,
)
from graphql.type import GraphQLIncludeDirective, GraphQLSkipDirective

FREE = {"MoneyBag", "MoneyV2", "PageInfo"}
MUTATION = 10
LIMIT = 1000
#: Plan → points a second. The bucket holds twenty seconds of them.
PLANS = {"standard": 100, "advanced": 200, "plus": 1000}

#: Fields that are answered under one name: their selections are merged.
Group = list[FieldNode]
Json = dict[str, Any]
UNKNOWN: Any = object()


@dataclass(frozen=True)
class Cost:
    """Of one operation of a document. With data, of what was answered: its pages may be shorter than asked for."""

    schema: GraphQLSchema
    document: DocumentNode
    operation: OperationDefinitionNode
    variables: Json
    _known: dict[tuple[Any, ...], dict[tuple[str, str], Group]] = field(default_factory=dict)

    def requested(self) -> int:
        return self._whole(UNKNOWN)

    def actual(self, data: Json | None) -> int:
        return self._whole(data or {})

    def _whole(self, data: Any) -> int:
        is_mutation = self.operation.operation is OperationType.MUTATION
        root = self.schema.mutation_type if is_mutation else self.schema.query_type
        assert root
        groups = self._groups([self.operation.selection_set], root)
        if not is_mutation:
            return sum(self._field(group, kind, _at(data, name)) for (kind, name), group in groups.items())
        return sum(MUTATION + self._payload(group, kind, _at(data, name)) for (kind, name), group in groups.items())

    def _payload(self, group: Group, parent: str, data: Any) -> int:
        """A mutation's ten points include what it answers first; what hangs below that is extra."""
        kind = self._type(group, parent)
        if not isinstance(kind, GraphQLObjectType) or data is None:
            return 0
        inner = self._groups(_sets(group), kind)
        return sum(max(0, self._field(each, owner, _at(data, name)) - 1) for (owner, name), each in inner.items())

    def _field(self, group: Group, parent: str, data: Any) -> int:
        kind = self._type(group, parent)
        if not _sets(group) or kind is None or data is None or kind.name in FREE or kind.name.endswith("UserError"):
            return 0
        if kind.name.endswith("Connection"):
            return self._connection(group, kind, data)
        return 1 + _largest(data, lambda each: self._children(_sets(group), kind, each))

    def _connection(self, group: Group, kind: Any, data: Any) -> int:
        """Two, and each node, by a factor that grows slowly with the size of the page."""
        inner = {name: (owner, each) for (owner, name), each in self._groups(_sets(group), kind).items()}
        if "nodes" not in inner:
            return 2
        owner, nodes = inner["nodes"]
        found = _at(data, "nodes")
        size = self._size(group[0]) if found is UNKNOWN else len(found)
        node = self._type(nodes, owner)
        return 2 + factor(size) * (1 + _largest(found, lambda each: self._children(_sets(nodes), node, each)))

    def _children(self, sets: list[SelectionSetNode], kind: Any, data: Any) -> int:
        """Of a union or interface the dearest of what it may turn out to be."""
        if data is None:
            return 0
        common = 0
        special: dict[str, int] = {}
        for (owner, name), group in self._groups(sets, kind).items():
            cost = self._field(group, owner, _at(data, name))
            if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType) and owner != kind.name:
                special[owner] = special.get(owner, 0) + cost
            else:
                common += cost
        return common + max(special.values(), default=0)

    def _groups(self, sets: list[SelectionSetNode], kind: Any) -> dict[tuple[str, str], Group]:
        known = (kind.name, *map(id, sets))  # each of many nodes has the same
        if known not in self._known:
            groups: dict[tuple[str, str], Group] = {}
            for selection_set in sets:
                for owner, node in self._fields(selection_set, kind.name):
                    groups.setdefault((owner, (node.alias or node.name).value), []).append(node)
            self._known[known] = groups
        return self._known[known]

    def _fields(self, selections: SelectionSetNode, owner: str) -> Iterator[tuple[str, FieldNode]]:
        for node in selections.selections:
            if not self._is_included(node):
                continue
            if isinstance(node, FieldNode):
                yield owner, node
            elif isinstance(node, InlineFragmentNode):
                yield from self._fields(node.selection_set, _condition(node.type_condition, owner))
            elif isinstance(node, FragmentSpreadNode):
                fragment = self._fragment(node.name.value)
                yield from self._fields(fragment.selection_set, _condition(fragment.type_condition, owner))

    def _fragment(self, name: str) -> FragmentDefinitionNode:
        return next(
            each
            for each in self.document.definitions
            if isinstance(each, FragmentDefinitionNode) and each.name.value == name
        )

    def _is_included(self, node: Any) -> bool:
        skip = get_directive_values(GraphQLSkipDirective, node, self.variables)
        include = get_directive_values(GraphQLIncludeDirective, node, self.variables)
        return not (skip and skip["if"]) and (include is None or bool(include["if"]))

    def _type(self, group: Group, parent: str) -> Any:
        definition = getattr(self.schema.type_map[parent], "fields", {}).get(group[0].name.value)
        kind: GraphQLOutputType | None = definition.type if definition else None
        return get_named_type(kind)

    def _size(self, node: FieldNode) -> int:
        for argument in node.arguments:
            if argument.name.value in ("first", "last"):
                if isinstance(argument.value, VariableNode):
                    return int(self.variables.get(argument.value.name.value) or 0)
                if isinstance(argument.value, IntValueNode):
                    return int(argument.value.value)
        return 0


def factor(size: int) -> int:
    return max(1, math.floor(2 * math.log(size))) if size > 0 else 0


def _sets(group: Group) -> list[SelectionSetNode]:
    return [node.selection_set for node in group if node.selection_set]


def _condition(named: NamedTypeNode | None, owner: str) -> str:
    return named.name.value if named else owner


def _at(data: Any, name: str) -> Any:
    return data if data is UNKNOWN else (data or {}).get(name)


def _largest(data: Any, cost: Callable[[Any], int]) -> int:
    return max((cost(each) for each in data), default=0) if isinstance(data, list) else cost(data)


@dataclass
class Bucket:
    """Points of one app in one shop; they come back with time. What a request may cost is taken before it is executed,
    and what it did not cost is given back."""

    rate: float = PLANS["standard"]
    maximum: float = 0
    clock: Callable[[], float] = time.monotonic
    #: Points that came back while the bucket was full: a caller at the limit loses none.
    spilled: float = 0
    #: Requests that it could not pay for.
    refused: int = 0
    _level: float = field(init=False)
    _at: float = field(init=False)

    def __post_init__(self) -> None:
        self.maximum = self.maximum or 20 * self.rate
        self._level = self.maximum
        self._at = self.clock()

    @classmethod
    def of(cls, text: str) -> Bucket:
        """ "1000/50": holds 1,000 points, and 50 come back a second. ValueError: it does not say that."""
        maximum, rate = (float(part) if part.strip() else 0.0 for part in text.partition("/")[::2])
        if not (maximum > 0 and rate > 0):
            raise ValueError(f"{text!r} is no bucket: say how many points it holds and how many come back, 1000/50.")
        return cls(rate, maximum)

    @property
    def available(self) -> float:
        now = self.clock()
        level = self._level + (now - self._at) * self.rate
        self._at = now
        self._level = min(self.maximum, level)
        self.spilled += level - self._level
        return self._level

    def take(self, points: float) -> bool:
        """Whether it held them; if not, nothing is taken."""
        if self.available < points:
            self.refused += 1
            return False
        self._level -= points
        return True

    def give_back(self, points: float) -> None:
        self._level = min(self.maximum, self.available + points)

    def empty(self) -> None:
        self._level -= self.available

    def status(self) -> Json:
        return {
            "maximumAvailable": float(self.maximum),
            "currentlyAvailable": math.floor(self.available),
            "restoreRate": float(self.rate),
        }
