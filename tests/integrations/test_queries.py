import re
from pathlib import Path

import pytest
from graphql import GraphQLSchema, OperationDefinitionNode, build_schema, parse, validate

from integrations.shopify.queries import DOCUMENTS
from sandbox import shopify

SDL = Path(shopify.__file__).with_name("schema.graphql")


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(SDL.read_text())


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_named_and_fits_shopifys_schema(name: str, schema: GraphQLSchema) -> None:
    document = parse(DOCUMENTS[name])
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    assert [each.name and each.name.value for each in operations] == [
        "Stockbridge" + "".join(word.title() for word in name.split("_"))
    ]
    assert validate(schema, document) == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_misspelt_field_does_not_fit(name: str, schema: GraphQLSchema) -> None:
    misspelt = re.sub(r"(?<=[ {])(id|message)(?=[\s}])", r"\1d", DOCUMENTS[name], count=1)
    errors = validate(schema, parse(misspelt))
    assert re.search("Cannot query field '(idd|messaged)'", str(errors))


def test_all_documents_are_found() -> None:
    assert {"CHECK", "ORDER", "SET_QUANTITIES", "WEBHOOK_CREATE"} <= set(DOCUMENTS)
