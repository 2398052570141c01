"""Whatever is sent: an answer in JSON, never a 5xx, and the books are right afterwards."""

import json
from typing import Any

import pytest
import requests
import schemathesis
import schemathesis.core
import urllib3
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from catalog import stock
from integrations.api.bodies import NewProduct, NewSale
from integrations.api.document import openapi
from integrations.api.routes import VIEWS
from sales import checks
from tests import make
from tests.api.conftest import Api

NUMBERS = st.one_of(
    st.integers(-5, 20),
    st.integers(),
    st.floats(),
    st.decimals(allow_nan=False, allow_infinity=False, places=2).map(str),
)
VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), NUMBERS, st.text(max_size=20), st.sampled_from(["", "pcs", "MUG", "2026-11-22"])
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
LINES = st.lists(
    st.fixed_dictionaries({"sku": st.sampled_from(["MUG", "CUP", "NONE"]), "amount": NUMBERS, "total": NUMBERS}),
    max_size=3,
)
NAMES = sorted(
    {*NewSale.model_fields, *NewProduct.model_fields, "order_id", "customer_id", "product_id", "status", "rows",
     "limit", "offset", "search", "updated_from"}
)  # fmt: skip
#: Mostly right, so that much of it goes through.
LIKELY = {
    "num": st.text(min_size=1, max_size=4),
    "name": st.text(min_size=1, max_size=9),
    "customer_name": st.just("Anna"),
    "unit": st.sampled_from(["pcs", "kg"]),
    "sku": st.sampled_from(["MUG", "CUP", "X"]),
    "stock": NUMBERS,
    "status": st.sampled_from([0, 1, 2, 3, 4]),
    "products": LINES,
    "rows": LINES,
}
BODIES = st.one_of(
    st.fixed_dictionaries(LIKELY),
    st.fixed_dictionaries(LIKELY, optional={name: VALUES for name in NAMES if name not in LIKELY}),
    st.dictionaries(st.sampled_from(NAMES), VALUES),
    VALUES,
)


@pytest.mark.parametrize("call", sorted(VIEWS))
@settings(max_examples=15, phases=[Phase.generate])
@given(body=BODIES)
def test_arbitrary_json_never_breaks_a_call(api: Api, mug: Any, cup: Any, main: Any, call: str, body: Any) -> None:
    if isinstance(body, dict):
        order = make.order([("MUG", 1)])
        known = {"order_id": order.pk, "customer_id": order.customer_id, "product_id": mug.pk, "storage_id": main.pk}
        body = known | body
    response = api.send(call, json.dumps(body).encode())
    assert response.status_code < 500, response.answer
    assert list(stock.check()) == []
    assert list(checks.check()) == []


@settings(max_examples=150, phases=[Phase.generate])
@given(body=st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_arbitrary_bytes_are_answered_in_json(api: Api, body: bytes) -> None:
    assert api.send("customers/get_list.php", body).status_code in (200, 400)


# --- the OpenAPI document ------------------------------------------------------------------------------------

schema = schemathesis.openapi.from_dict(openapi())


@schema.parametrize()
@settings(max_examples=15, phases=[Phase.generate])
def test_answers_are_as_the_openapi_document_says(
    case: schemathesis.Case, api: Api, mug: Any, record_property: Any
) -> None:
    """What schemathesis makes of the document, sent with a key: the code, the type and every field are documented."""
    body = b"" if case.body is schemathesis.core.NOT_SET else case.body
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {name: value for name, value in case.headers.items() if name == "Idempotency-Key"}
    answered = api.send(case.path.removeprefix("/connect/v1/"), body, **headers)
    response = requests.Response()
    response.status_code, response._content = answered.status_code, answered.content
    response.raw = urllib3.HTTPResponse(headers=dict(answered.headers.items()))
    response.request = requests.Request("POST", f"http://localhost{case.path}", data=body).prepare()
    record_property("schemathesis", [case.path, answered.status_code])  # summed up at the end of the run
    case.validate_response(response, checks=CHECKS)


CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
