"""Cut the sandbox's schema out of Shopify's.

    python -m scripts.cut_schema admin_2026-10.json.gz [-o sandbox/shopify/schema.graphql]

Reads an introspection result (plain or gzipped JSON) and keeps what our documents use: types, fields, arguments and
directives, with input objects and enums whole. So a document that validates here validates at Shopify, and one that
asks for something new fails until the schema is cut again. Same input, same output.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast

from graphql import (
    ArgumentNode,
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLArgument,
    GraphQLDirective,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLType,
    GraphQLUnionType,
    InlineFragmentNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableDefinitionNode,
    Visitor,
    build_client_schema,
    get_named_type,
    is_required_argument,
    is_specified_directive,
    is_specified_scalar_type,
    lexicographic_sort_schema,
    parse,
    print_schema,
    type_from_ast,
    validate,
    visit,
)
from graphql.language import DocumentNode

from integrations.shopify.queries import API_VERSION, DOCUMENTS

SANDBOX = Path(__file__).parent.parent / "sandbox" / "shopify"


class Used(Visitor):
    """What documents use of a schema: fields and arguments by type, the types that they name, directives."""

    def __init__(self, schema: GraphQLSchema) -> None:
        super().__init__()
        self.schema = schema
        self.info = TypeInfo(schema)
        self.fields: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self.types: set[str] = set()
        self.directives: set[str] = set()

    def add(self, document: DocumentNode) -> None:
        visit(document, TypeInfoVisitor(self.info, self))

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        parent, field = self.info.get_parent_type(), self.info.get_field_def()
        if parent is None or field is None or node.name.value.startswith("__"):
            return
        arguments = self.fields[parent.name][node.name.value]
        arguments.update(name for name, argument in field.args.items() if is_required_argument(argument))
        self._reach(field.type)
        for name in arguments:
            self._reach(field.args[name].type)

    def enter_argument(self, node: ArgumentNode, *_: Any) -> None:
        parent, field = self.info.get_parent_type(), self.info.get_field_def()
        if parent is None or field is None or self.info.get_directive() or node.name.value not in field.args:
            return
        name = next(name for name, known in parent.fields.items() if known is field)  # type: ignore[union-attr]
        self.fields[parent.name][name].add(node.name.value)
        self._reach(field.args[node.name.value].type)

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        self.directives.add(node.name.value)

    def enter_inline_fragment(self, node: InlineFragmentNode, *_: Any) -> None:
        if node.type_condition:
            self.types.add(node.type_condition.name.value)

    def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: Any) -> None:
        self.types.add(node.type_condition.name.value)

    def enter_variable_definition(self, node: VariableDefinitionNode, *_: Any) -> None:
        self._reach(type_from_ast(self.schema, node.type))

    def _reach(self, kind: GraphQLType | None) -> None:
        """Keep a type, and of an input object everything inside."""
        named = get_named_type(kind)
        if named is None or named.name in self.types:
            return
        self.types.add(named.name)
        if isinstance(named, GraphQLInputObjectType):
            for field in named.fields.values():
                self._reach(field.type)


class Cut:
    """Builds the small schema. Types are made on demand, because they refer to each other in circles."""

    def __init__(self, schema: GraphQLSchema, used: Used) -> None:
        self.schema = schema
        self.used = used
        self.made: dict[str, GraphQLNamedType] = {}

    def build(self) -> GraphQLSchema:
        types = [self._named(self.schema.type_map[name]) for name in sorted(self.used.types | set(self.used.fields))]
        return GraphQLSchema(
            query=cast(GraphQLObjectType | None, self._root(self.schema.query_type)),
            mutation=cast(GraphQLObjectType | None, self._root(self.schema.mutation_type)),
            types=types,
            directives=[
                directive if is_specified_directive(directive) else self._directive(directive)
                for directive in self.schema.directives
                if directive.name in self.used.directives or is_specified_directive(directive)
            ],
        )

    def _root(self, kind: GraphQLObjectType | None) -> GraphQLNamedType | None:
        return self._named(kind) if kind and kind.name in self.used.fields else None

    def _keeps(self, kind: GraphQLNamedType) -> bool:
        return kind.name in self.used.types or kind.name in self.used.fields

    def _interfaces(self, kind: GraphQLObjectType | GraphQLInterfaceType) -> list[GraphQLInterfaceType]:
        return [interface for interface in kind.interfaces if self._keeps(interface)]

    def _field_names(self, kind: GraphQLObjectType | GraphQLInterfaceType) -> dict[str, set[str]]:
        """Those asked of the type itself, and those asked through an interface that it implements."""
        names: dict[str, set[str]] = {name: set(args) for name, args in self.used.fields[kind.name].items()}
        for interface in self._interfaces(kind):
            for name, arguments in self.used.fields[interface.name].items():
                names.setdefault(name, set()).update(arguments)
        return names

    def _named(self, kind: GraphQLNamedType) -> GraphQLNamedType:
        if is_specified_scalar_type(kind):
            return kind
        if kind.name not in self.made:
            self.made[kind.name] = self._copy(kind)
        return self.made[kind.name]

    def _copy(self, kind: GraphQLNamedType) -> GraphQLNamedType:
        if isinstance(kind, GraphQLScalarType):
            return GraphQLScalarType(kind.name)
        if isinstance(kind, GraphQLEnumType):
            return GraphQLEnumType(kind.name, {name: name for name in kind.values})
        if isinstance(kind, GraphQLInputObjectType):
            return GraphQLInputObjectType(kind.name, lambda: self._inputs(kind))
        if isinstance(kind, GraphQLUnionType):
            return GraphQLUnionType(
                kind.name, lambda: [cast(Any, self._named(member)) for member in kind.types if self._keeps(member)]
            )
        if isinstance(kind, GraphQLInterfaceType):
            return GraphQLInterfaceType(kind.name, lambda: self._fields(kind), lambda: self._implemented(kind))
        if isinstance(kind, GraphQLObjectType):
            return GraphQLObjectType(kind.name, lambda: self._fields(kind), lambda: self._implemented(kind))
        raise TypeError(f"What is {kind}?")

    def _implemented(self, kind: GraphQLObjectType | GraphQLInterfaceType) -> list[Any]:
        return [self._named(interface) for interface in self._interfaces(kind)]

    def _fields(self, kind: GraphQLObjectType | GraphQLInterfaceType) -> dict[str, GraphQLField]:
        return {
            name: GraphQLField(
                self._wrapped(kind.fields[name].type),
                {argument: self._argument(kind.fields[name].args[argument]) for argument in sorted(arguments)},
            )
            for name, arguments in self._field_names(kind).items()
        }

    def _argument(self, argument: GraphQLArgument) -> GraphQLArgument:
        return GraphQLArgument(self._wrapped(argument.type), argument.default_value)

    def _directive(self, directive: GraphQLDirective) -> GraphQLDirective:
        arguments = {name: self._argument(argument) for name, argument in directive.args.items()}
        return GraphQLDirective(directive.name, directive.locations, arguments)

    def _inputs(self, kind: GraphQLInputObjectType) -> dict[str, GraphQLInputField]:
        return {
            name: GraphQLInputField(self._wrapped(field.type), field.default_value)
            for name, field in kind.fields.items()
        }

    def _wrapped(self, kind: GraphQLType) -> Any:
        if isinstance(kind, GraphQLNonNull):
            return GraphQLNonNull(self._wrapped(kind.of_type))
        if isinstance(kind, GraphQLList):
            return GraphQLList(self._wrapped(kind.of_type))
        return self._named(cast(GraphQLNamedType, kind))


def cut(schema: GraphQLSchema, documents: Iterable[DocumentNode]) -> str:
    """The SDL of what the documents use. ValueError if one does not validate against the whole schema."""
    used = Used(schema)
    for document in documents:
        if errors := validate(schema, document):
            raise ValueError("; ".join(str(error) for error in errors))
        used.add(document)
    return print_schema(lexicographic_sort_schema(Cut(schema, used).build())) + "\n"


def load(path: Path) -> GraphQLSchema:
    """A schema from an introspection result, as it is answered or without its "data"."""
    raw = path.read_bytes()
    answer = json.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)
    return build_client_schema(answer.get("data", answer), assume_valid=True)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Cut the sandbox's schema out of Shopify's.")
    parser.add_argument("introspection", type=Path, help="introspection result, .json or .json.gz")
    parser.add_argument("-o", "--output", type=Path, default=SANDBOX / "schema.graphql")
    options = parser.parse_args(argv)
    extra = (SANDBOX / "documents.graphql").read_text()
    text = cut(load(options.introspection), [parse(text) for text in (*DOCUMENTS.values(), extra)])
    header = (
        f"# Shopify Admin API {API_VERSION}: the part that our documents use. Made by `python -m scripts.cut_schema`\n"
        "# from Shopify's introspection, integrations/shopify/queries.py and documents.graphql. Do not edit.\n\n"
    )
    options.output.write_text(header + text)


if __name__ == "__main__":
    main()
