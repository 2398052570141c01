"""What each way of failing means: later by itself, let in again, or set aside."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from integrations.connector import AccessDenied, Busy, Refused, Unavailable
from integrations.shopify.graphql import Api, FieldDenied, GraphQLRefused
from tests.integrations.scripted import Scripted, scripted

DOMAIN = "acme.myshopify.com"


@pytest.fixture
def server() -> Iterator[Scripted]:
    with scripted() as server:
        yield server


@pytest.fixture
def api(server: Scripted) -> Api:
    return Api(DOMAIN, server.url, lambda refused: "shpat_1")


def failed(message: str, code: str = "", path: list[Any] | None = None) -> dict[str, Any]:
    return {"message": message, "extensions": {"code": code}, "path": path or []}


def cost(requested: int, available: float, rate: float = 100.0) -> dict[str, Any]:
    status = {"maximumAvailable": 2000.0, "currentlyAvailable": available, "restoreRate": rate}
    return {"cost": {"requestedQueryCost": requested, "actualQueryCost": None, "throttleStatus": status}}


TOO_DEAR = {"errors": [failed("Query cost is 1293, which exceeds the limit", "MAX_COST_EXCEEDED")]}


def throttled(requested: int, available: float, rate: float = 100.0) -> dict[str, Any]:
    return {"errors": [failed("Throttled", "THROTTLED")], "extensions": cost(requested, available, rate)}


def test_a_call_goes_to_the_pinned_version_with_the_token(api, server):
    server.tell({"data": {"shop": {"id": "1"}}})
    assert api.call("query A { shop { id } }", {"a": 1}) == {"shop": {"id": "1"}}
    [asked] = server.asked
    assert asked["path"] == "/admin/api/2026-10/graphql.json"
    assert asked["headers"]["X-Shopify-Access-Token"] == "shpat_1"


def test_the_version_that_answered_and_fields_that_will_go_are_remembered(api, server):
    server.tell(
        {"data": {}, "extensions": cost(3, 1990)},
        X_Shopify_API_Version="2027-01",
        X_Shopify_API_Deprecated_Reason="Shop.products",
    )
    server.tell({"data": {}})
    api.call("query A { shop { id } }", {})
    api.call("query A { shop { id } }", {})
    assert (api.served_version, api.deprecation) == ("2027-01", "Shop.products")


def test_throttling_is_waited_out(api, server):
    server.answers += [(200, {}, throttled(120, 110)), (200, {}, throttled(120, 119)), (200, {}, {"data": {"a": 1}})]
    assert api.call("query A { a }", {}) == {"a": 1}


def test_throttling_that_would_take_long_is_for_later(api, server):
    server.tell(throttled(1500, 0))
    with pytest.raises(Busy, match="15 seconds") as raised:
        api.call("query A { a }", {})
    assert raised.value.wait == pytest.approx(timedelta(seconds=15), abs=timedelta(seconds=1))
    assert len(server.asked) == 1


def test_throttling_without_a_word_is_waited_out(api, server):
    server.tell({"errors": [failed("Throttled", "THROTTLED")]})
    server.tell({"data": {"a": 1}})
    assert api.call("query A { a }", {}) == {"a": 1}


def test_what_costs_more_than_is_left_is_not_asked_for_before_it_fits(api, server):
    server.tell({"data": {"a": 1}, "extensions": cost(500, 100)})
    api.call("query A { a }", {})
    server.tell({"data": {"a": 1}, "extensions": cost(500, 100)})
    begun = time.monotonic()
    api.call("query A { a }", {})
    assert time.monotonic() - begun > 3.5
    assert len(server.asked) == 2


def test_too_many_requests_are_waited_out_by_the_fraction_of_a_second(api, server):
    server.tell(b"", 429, Retry_After="0.5")
    server.tell({"data": {"a": 1}})
    begun = time.monotonic()
    assert api.call("query A { a }", {}) == {"a": 1}
    assert time.monotonic() - begun >= 0.5


@pytest.mark.parametrize(("after", "wait"), [("90.0", 90), ("12", 12)])
def test_too_many_requests_for_long_are_for_later(api, server, after, wait):
    server.tell(b"", 429, Retry_After=after)
    with pytest.raises(Busy) as raised:
        api.call("query A { a }", {})
    assert raised.value.wait == pytest.approx(timedelta(seconds=wait), abs=timedelta(seconds=1))


def test_a_refused_token_is_made_anew_once(server):
    api = Api(DOMAIN, server.url, lambda refused: "fresh" if refused == "old" else "old")
    server.tell({"errors": "[API] Invalid API key or access token"}, 401)
    server.tell({"data": {"a": 1}})
    assert api.call("query A { a }", {}) == {"a": 1}
    assert [asked["headers"]["X-Shopify-Access-Token"] for asked in server.asked] == ["old", "fresh"]


def test_a_fresh_token_that_is_refused_too_is_the_end(server):
    api = Api(DOMAIN, server.url, lambda refused: "fresh" if refused else "old")
    server.tell({}, 401)
    server.tell({}, 401)
    with pytest.raises(AccessDenied, match="refused the access token"):
        api.call("query A { a }", {})


def test_a_token_for_which_there_is_no_other_is_not_tried_twice(api, server):
    server.tell({"errors": "[API] Invalid API key or access token"}, 401)
    with pytest.raises(AccessDenied, match="paste the new one"):
        api.call("query A { a }", {})
    assert len(server.asked) == 1


@pytest.mark.parametrize("token", ["shpat_…", "shpat_1\n", "пароль"])
def test_a_token_that_cannot_be_one_is_refused_unsent(server, token):
    with pytest.raises(AccessDenied, match="Paste it again"):
        Api(DOMAIN, server.url, lambda refused: token).call("query A { a }", {})
    assert server.asked == []


@pytest.mark.parametrize(
    ("status", "words"), [(402, "frozen"), (403, "forbids"), (404, "no shop at acme.myshopify.com"), (423, "locked")]
)
def test_a_closed_shop_is_access_denied(api, server, status, words):
    server.tell(b"<html>", status)
    with pytest.raises(AccessDenied, match=words):
        api.call("query A { a }", {})


def test_a_request_that_the_shop_does_not_take_is_refused_with_its_words(api, server):
    server.tell({"errors": {"query": "Required parameter missing or invalid"}}, 400)
    with pytest.raises(Refused, match="Required parameter missing"):
        api.call("query A { a }", {})


@pytest.mark.parametrize("answer", [b"<html>Just a moment</html>", b"[]", b'{"data": null}', b"{}", b"null"])
def test_an_answer_without_sense_is_unavailable(api, server, answer):
    server.tell(answer)
    with pytest.raises(Unavailable):
        api.call("query A { a }", {})


@pytest.mark.parametrize("code", ["INTERNAL_SERVER_ERROR", "TIMEOUT"])
def test_a_failure_of_the_shops_own_is_unavailable(api, server, code):
    server.tell({"data": {"a": None}, "errors": [failed("Something went wrong on our end.", code)]})
    with pytest.raises(Unavailable, match="on our end"):
        api.call("query A { a }", {})


def test_a_scope_that_is_missing_is_named(api, server):
    message = "Access denied for orders field. Required access: `read_orders` access scope."
    server.tell({"data": {"orders": None}, "errors": [failed(message, "ACCESS_DENIED", ["orders"])]})
    with pytest.raises(AccessDenied, match=r"lacks the scope read_orders\. Add it"):
        api.call("query A { a }", {})


def test_customer_data_that_was_not_declared_is_told(api, server):
    message = "This app is not approved to access the Order object."
    server.tell({"data": None, "errors": [failed(message, "ACCESS_DENIED")]})
    with pytest.raises(AccessDenied, match="Protected customer data"):
        api.call("query A { a }", {})


def test_an_inactive_shop_is_access_denied(api, server):
    server.tell({"errors": [failed("Shop is inactive", "SHOP_INACTIVE")]})
    with pytest.raises(AccessDenied, match="closed"):
        api.call("query A { a }", {})


def test_what_may_be_denied_does_not_cost_the_rest(api, server):
    denied = [
        failed("No", "ACCESS_DENIED", ["order", "email"]),
        failed("No", "ACCESS_DENIED", ["order", "customer", "displayName"]),
    ]
    server.tell({"data": {"order": {"id": "1", "email": None, "customer": None}}, "errors": denied})
    data = api.call("query A { a }", {}, optional={"email", "customer"})
    assert data["order"]["id"] == "1"


def test_a_denied_field_that_takes_its_parent_along_is_access_denied(api, server):
    server.tell({"data": {"order": None}, "errors": [failed("No", "ACCESS_DENIED", ["order", "email"])]})
    with pytest.raises(FieldDenied) as raised:
        api.call("query A { a }", {}, optional={"email"})
    assert raised.value.fields == {"email"}


@pytest.mark.parametrize("path", [["order"], ["order", "lineItems"], []])
def test_what_must_not_be_denied_is_access_denied(api, server, path):
    server.tell({"data": {"order": {"id": "1"}}, "errors": [failed("No", "ACCESS_DENIED", path)]})
    with pytest.raises(AccessDenied):
        api.call("query A { a }", {}, optional={"email"})


@pytest.mark.parametrize("errors", ["Not Found", [failed("Bad id", "INVALID_VARIABLE")], [{"message": None}], ["Bad"]])
def test_anything_else_is_refused(api, server, errors):
    server.tell({"errors": errors})
    with pytest.raises(GraphQLRefused, match="Shopify refused"):
        api.call("query A { a }", {})


def sizes(server: Scripted) -> list[int]:
    return [json.loads(asked["body"])["variables"]["first"] for asked in server.asked]


def test_a_page_that_costs_too_much_is_halved_and_its_size_remembered(api, server):
    server.answers += [(200, {}, TOO_DEAR), (200, {}, TOO_DEAR), (200, {}, {"data": {"a": 1}})]
    assert api.call("query A { a }", {"first": 250, "id": 7}) == {"a": 1}
    server.tell({"data": {"a": 1}})
    Api(DOMAIN, server.url, lambda refused: "shpat_1").call("query A { a }", {"first": 250, "id": 7})
    assert sizes(server) == [250, 125, 62, 62]


def test_a_page_that_no_bucket_could_pay_for_is_halved_too(api, server):
    server.tell(throttled(3000, 2000))
    server.tell({"data": {"a": 1}})
    assert api.call("query A { a }", {"first": 250}) == {"a": 1}
    assert sizes(server) == [250, 125]


def test_a_document_that_costs_too_much_however_short_is_refused(api, server):
    server.answers += [(200, {}, TOO_DEAR)] * 3
    with pytest.raises(Refused, match="1293"):
        api.call("query A { a }", {"first": 4})
    assert sizes(server) == [4, 2, 1]


def test_a_search_that_was_misread_is_refused_though_it_is_answered(api, server):
    warning = {"field": "updated_at", "message": "Input `2026` is not a valid date."}
    server.tell({"data": {"orders": {}}, "extensions": {"search": [{"path": ["orders"], "warnings": [warning]}]}})
    with pytest.raises(Refused, match="not a valid date"):
        api.call("query A { a }", {})


def test_a_search_without_warnings_is_fine(api, server):
    server.tell({"data": {"orders": {}}, "extensions": {"search": [{"path": ["orders"], "query": "x"}]}})
    assert api.call("query A { a }", {}) == {"orders": {}}


def test_without_a_sandbox_the_shop_is_asked_over_https():
    assert Api(DOMAIN, "", lambda refused: "t").url == f"https://{DOMAIN}/admin/api/2026-10/graphql.json"
