"""Which queries can be run in bulk, and how one is asked page by page."""

from __future__ import annotations

from typing import Any

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    parse,
    validate,
    visit,
)

from sandbox.shopify.schema import schema

#: Connections in one query, and how deep one may lie in another.
CONNECTIONS = 5
DEPTH = 2
PAGE = 250


class Invalid(Exception):
    """Shopify does not run this in bulk; the message says why, as near to its words as is known."""


def prepared(text: str) -> DocumentNode:
    """The query as one that is asked page by page, with the variable $after. Raises Invalid."""
    try:
        document = parse(text)
    except GraphQLSyntaxError as error:
        raise Invalid(f"Invalid bulk query: {error.message}") from None
    if errors := validate(schema(), document):
        raise Invalid("Invalid bulk query: " + " ".join(error.message for error in errors))
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    if len(operations) != 1 or operations[0].operation is not OperationType.QUERY:
        raise Invalid("Invalid bulk query: exactly one query is needed.")
    if operations[0].variable_definitions:
        raise Invalid("Invalid bulk query: variables are not supported.")
    if len(operations[0].selection_set.selections) != 1:
        raise Invalid("Invalid bulk query: bulk queries must have exactly one top level field.")
    document = _inlined(document)
    checks = _Checks()
    visit(document, TypeInfoVisitor(checks.info, checks))
    checks.conclude()
    return _paged(document)


def _inlined(document: DocumentNode) -> DocumentNode:
    """Without named fragments, so that what lies in what can be read off."""
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}

    class Inline(Visitor):
        def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> Any:
            text = fragments[node.name.value]
            inline = parse(f"{{ ... on {text.type_condition.name.value} {{ id }} }}").definitions[0]
            made = inline.selection_set.selections[0]  # type: ignore[attr-defined]
            made.selection_set = visit(text.selection_set, Inline())
            return made

    made: DocumentNode = visit(document, Inline())
    made.definitions = tuple(each for each in made.definitions if not isinstance(each, FragmentDefinitionNode))
    return made


class _Checks(Visitor):
    """https://shopify.dev/docs/api/usage/bulk-operations/queries#operation-restrictions"""

    def __init__(self) -> None:
        super().__init__()
        self.info = TypeInfo(schema())
        self.count = 0
        #: The connections, lists and objects that we are inside of; a connection with its name.
        self.path: list[tuple[str, FieldNode]] = []

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        kind = self.info.get_type()
        named = get_named_type(kind)
        is_connection = named is not None and named.name.endswith("Connection")
        if is_connection:
            self._connection(node)
        if node.name.value == "nodes" and self.path and self.path[-1][0] == "connection":
            raise Invalid("Invalid bulk query: connections must be asked for edges { node { … } }.")
        is_list = kind is not None and str(kind).startswith("[")
        is_edges = node.name.value == "edges" and self.path and self.path[-1][0] == "connection"
        self.path.append(("connection" if is_connection else "list" if is_list and not is_edges else "", node))

    def leave_field(self, *_: Any) -> None:
        self.path.pop()

    def _connection(self, node: FieldNode) -> None:
        self.count += 1
        above = [kind for kind, _ in self.path]
        if "list" in above:
            message = "Queries that contain a connection field within a list field are not currently supported."
            raise Invalid(message)
        if above.count("connection") > DEPTH:
            raise Invalid(f"Bulk queries cannot contain connections with a nesting depth greater than {DEPTH}.")
        parent = next((field for _, field in reversed(self.path) if field.name.value == "node"), None)
        if parent and not _selects_id(parent):
            raise Invalid(
                "The parent 'node' field for a nested connection must select the 'id' field without an alias and "
                f"must be of 'ID' return type. Connection fields without 'id': {node.name.value}."
            )

    def conclude(self) -> None:
        if not self.count:
            raise Invalid("Bulk queries must contain at least one connection.")
        if self.count > CONNECTIONS:
            raise Invalid(f"Bulk queries cannot contain more than {CONNECTIONS} connections.")


def _selects_id(node: FieldNode) -> bool:
    selections = node.selection_set.selections if node.selection_set else ()
    return any(isinstance(each, FieldNode) and each.name.value == "id" and not each.alias for each in selections)


def _paged(document: DocumentNode) -> DocumentNode:
    """`first` and the like are ignored in bulk; ours page through the outermost list alone."""

    class Strip(Visitor):
        def enter_argument(self, node: ArgumentNode, *_: Any) -> Any:
            return self.REMOVE if node.name.value in ("first", "last", "after", "before") else None

    document = visit(document, Strip())
    helper = parse(
        f"query ($after: String) {{ a(first: {PAGE}, after: $after) {{ pageInfo {{ hasNextPage endCursor }} }} }}"
    ).definitions[0]
    assert isinstance(helper, OperationDefinitionNode)
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    root, ours = operation.selection_set.selections[0], helper.selection_set.selections[0]
    assert isinstance(root, FieldNode)
    assert isinstance(ours, FieldNode)
    assert root.selection_set
    assert ours.selection_set
    operation.variable_definitions = helper.variable_definitions
    root.arguments = (*root.arguments, *ours.arguments)
    root.selection_set.selections = (*root.selection_set.selections, *ours.selection_set.selections)
    return document
