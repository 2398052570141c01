"""One GraphQL request: read, checked, answered, the way Shopify words it."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from graphql import (
    DocumentNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLNonNull,
    GraphQLResolveInfo,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    coerce_input_value,
    execute_sync,
    get_operation_ast,
    is_nullable_type,
    parse,
    type_from_ast,
    validate,
)

from sandbox.shopify.schema import Context, Unheard, schema

if TYPE_CHECKING:
    from sandbox.shopify.shop import Shop

Json = dict[str, Any]


class Refused(Exception):
    """The request is not executed; the errors say why."""

    def __init__(self, errors: list[Json]) -> None:
        super().__init__(errors)
        self.errors = errors


def prepare(text: str, variables: Json, name: str | None) -> tuple[DocumentNode, OperationDefinitionNode]:
    """A document that can be executed. Raises Refused."""
    document, operation = _read(text, name)
    if wrong := _wrong_variables(operation, variables):
        raise Refused(wrong)
    return document, operation


@lru_cache(maxsize=200)
def _read(text: str, name: str | None) -> tuple[DocumentNode, OperationDefinitionNode]:
    """The same few documents come again and again, and to validate one takes longer than to answer it."""
    try:
        document = parse(text)
    except GraphQLSyntaxError as error:
        raise Refused([{"message": str(error.message), "locations": _locations(error)}]) from None
    operation = get_operation_ast(document, name)
    if operation is None:
        raise Refused(
            [{"message": "An operation name is required" if name is None else f'No operation named "{name}"'}]
        )
    if errors := validate(schema(), document):
        raise Refused([_invalid(error, operation) for error in errors])
    return document, operation


def execute(
    shop: Shop, document: DocumentNode, variables: Json, name: str | None, oddity: str = ""
) -> tuple[Json, list[Json]]:
    """The answer without its cost, and the warnings about searches. oddity: a fault that changes answers."""
    context = Context(shop)
    with shop.lock:
        shop.settle()
        result = execute_sync(
            schema(),
            document,
            context_value=context,
            variable_values=variables,
            operation_name=name,
            middleware=[ODDITIES[oddity]] if oddity in ODDITIES else None,
        )
    answer: Json = {"data": result.data}
    if result.errors:
        answer["errors"] = [_formatted(error) for error in result.errors]
    return answer, context.searches


def _unheard(answer: Callable[..., Any], source: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
    """Instead of each value of an enum one that is not in the schema, as a later version may have."""
    value = answer(source, info, **arguments)
    kind = info.return_type.of_type if isinstance(info.return_type, GraphQLNonNull) else info.return_type
    return Unheard("UNHEARD_OF") if isinstance(kind, GraphQLEnumType) and value is not None else value


def _sparse(answer: Callable[..., Any], source: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
    """Null wherever the schema allows it, but for what was asked for itself."""
    return None if info.path.prev and is_nullable_type(info.return_type) else answer(source, info, **arguments)


ODDITIES = {"unheard": _unheard, "sparse": _sparse}


def _formatted(error: GraphQLError) -> Json:
    if error.original_error and not isinstance(error.original_error, GraphQLError):
        raise error.original_error  # a mistake of ours: HTTP 500, not an answer
    return dict(error.formatted)


def _locations(error: GraphQLError) -> list[Json]:
    return [{"line": place.line, "column": place.column} for place in error.locations or []]


def _invalid(error: GraphQLError, operation: OperationDefinitionNode) -> Json:
    """A validation error; the commonest one in Shopify's own words."""
    made: Json = {"message": error.message, "locations": _locations(error)}
    if match := re.match(r"Cannot query field '(\w+)' on type '(\w+)'", error.message):
        field, kind = match.groups()
        made["message"] = f"Field '{field}' doesn't exist on type '{kind}'"
        made["path"] = [f"{operation.operation.value} {operation.name.value if operation.name else ''}".strip(), field]
        made["extensions"] = {"code": "undefinedField", "typeName": kind, "fieldName": field}
    return made


def _wrong_variables(operation: OperationDefinitionNode, variables: Json) -> list[Json]:
    """As Shopify tells it: INVALID_VARIABLE, with the path to each problem."""
    made = []
    for definition in operation.variable_definitions:
        name = definition.variable.name.value
        kind: Any = type_from_ast(schema(), definition.type)
        value = variables.get(name)
        if value is None and (name not in variables and definition.default_value is not None):
            continue
        problems: list[Json] = []

        def note(path: list[str | int], _: Any, error: GraphQLError, problems: list[Json] = problems) -> None:
            problems.append(_problem(path, error.message))

        coerce_input_value(value, kind, note)
        if problems:
            where = ".".join(str(part) for part in problems[0]["path"])
            detail = f" for {where} ({problems[0]['explanation']})" if where else ""
            made.append(
                {
                    "message": f"Variable ${name} of type {kind} was provided invalid value{detail}",
                    "locations": [
                        {"line": definition.loc.start_token.line, "column": definition.loc.start_token.column}
                    ]
                    if definition.loc
                    else [],
                    "extensions": {"code": "INVALID_VARIABLE", "value": value, "problems": problems},
                }
            )
    return made


def _problem(path: list[str | int], message: str) -> Json:
    if match := re.match(r"Field '(\w+)' is not defined by type '(\w+)'", message):
        return {"path": [*path, match[1]], "explanation": f"Field is not defined on {match[2]}"}
    if match := re.match(r"Field '(\w+)' of required type .* was not provided", message):
        return {"path": [*path, match[1]], "explanation": "Expected value to not be null"}
    if message.startswith("Expected non-nullable type"):
        message = "Expected value to not be null"
    return {"path": path, "explanation": message}
