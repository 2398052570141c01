"""What is wrong with a request, over real HTTP: each with its sentence and its code, and nothing half-stored."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from integrations.api.document import openapi
from integrations.api.routes import VIEWS
from tests.api.conftest import Wire
from tests.api.site import Site

INVALID = "Unauthorized - invalid API key"
PRODUCT = "Product not found or access denied"
SALE: dict[str, Any] = {"num": "9", "customer_name": "Anna", "products": [{"sku": "MUG", "amount": 1, "total": 10}]}
MIB = 1024 * 1024


HALF = b'{"name": "Half"}'
SILENCE = "Nothing more of the request came for 5 s."


@pytest.fixture(scope="module", autouse=True)
def silent(site: Site) -> Iterator[socket.socket]:
    """A client that sends less than it announced, begun first, so that nobody has to wait for it at the end."""
    wire = Wire(site.url, site.known["key"])
    with wire.begin(wire.head("customers/add", Content_Length="50"), HALF) as line:
        yield line


@pytest.fixture
def refuses(site: Site, http_api: Wire) -> Callable[..., Any]:
    """Sends a request that must be refused, with this sentence ("…": and more), and must change nothing but the log."""

    def check(
        status: int, sentence: str, body: Any = None, call: str = "orders/add", *, look: bool = True, **more: str
    ) -> Any:
        before, last = site.state(), site.last_activity()
        sent = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
        response = http_api.send(f"{call}.php", sent, **more)
        said = response.answer["error"]
        assert (response.status_code, response.answer["success"]) == (status, False), said
        assert said.startswith(sentence[:-1]) if sentence.endswith("…") else said == sentence
        assert site.state() == before
        lines = [line for line in site.activities(last) if line["why"] != SILENCE]  # it may end in any test
        logged = [(line["what"], line["outcome"], line["why"]) for line in lines]
        assert not look or logged == [(call, "failed", said)]
        return response

    return check


# --- keys ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["", "wrong", "Bearer", "Bearer wrong", "sb_\xff", "x" * 5000])
def test_no_or_a_wrong_key(http_api, refuses, key):
    http_api.key = key
    refuses(401, INVALID, SALE, look=False)


@pytest.mark.parametrize("which", ["revoked", "rotated", "paused"])
def test_a_key_that_was_revoked_or_replaced_or_belongs_to_a_paused_connection(site, http_api, refuses, which):
    http_api.key = site.known[f"{which}_key"]
    refuses(401, INVALID, SALE, look=False)


def test_a_request_without_the_header(site, http_api):
    before = site.state()
    head = http_api.head("orders/add", Content_Length="2").replace(b"Authorization", b"X-Other")
    assert http_api.raw(head + b"{}").status_code == 401
    assert site.state() == before


def test_the_key_may_follow_bearer(http_api):
    http_api.key = f"Bearer {http_api.key}"
    http_api.ask("storages/get_list")


# --- method, address, type -----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_another_method_than_post(site, http_api, method):
    before = site.state()
    for key in (http_api.key, "wrong"):
        http_api.key = key
        response = http_api.send("orders/add.php", json.dumps(SALE).encode(), method)
        assert (response.status_code, response.headers["Allow"]) == (405, "POST")
        assert response.answer == {"success": False, "error": "Send a POST request."}
    assert site.state() == before


@pytest.mark.parametrize("call", ["orders/fly.php", "orders/add", "orders/add.php/", "../v1/x", "", "%00", "%DC.php"])
def test_a_call_that_there_is_not(site, http_api, call):
    last = site.last_activity()
    response = http_api.send(call)
    assert (response.status_code, response.answer["error"]) == (404, "There is no such call.")
    assert [line["outcome"] for line in site.activities(last)] == ["failed"]


def test_a_base_url_without_its_end(http_api):
    head = http_api.head("x", Content_Length="0").replace(b"/connect/v1/x.php", b"/connect")
    assert http_api.raw(head).status_code == 404


@pytest.mark.parametrize(
    "kind", ["multipart/form-data; boundary=x", "application/xml", "image/png", "application/json; charset=latin-1"]
)
def test_a_content_type_that_is_not_json(refuses, kind):
    refuses(415, "Send the request …", SALE, Content_Type=kind)


@pytest.mark.parametrize(
    "kind",
    ["", "application/json", "application/json; charset=UTF-8", "application/vnd.api+json", "text/plain",
     "application/octet-stream", "application/x-www-form-urlencoded"],
)  # fmt: skip
def test_content_types_that_old_clients_send(http_api, kind):
    assert http_api.send("storages/get_list.php", b"{}", Content_Type=kind).status_code == 200


def test_a_body_that_was_compressed(refuses):
    refuses(415, "Send the request without Content-Encoding.", b"\x1f\x8b\x08\x00", Content_Encoding="gzip")


# --- bodies --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"num": "1", "pro', "The request is not JSON: Unterminated string starting at, line 1, column 14."),
        (b'{"num": "1",', "The request is not JSON: …"),
        (b"[]", "The request must be a JSON object."),
        (b"[{}]", "The request must be a JSON object."),
        (b'"x"', "The request must be a JSON object."),
        (b"null", "The request must be a JSON object."),
        (b'{"num": "1", "num": "2"}', '"num" is in one object twice.'),
        (b'{"products": [{"sku": "A", "sku": "B"}]}', '"sku" is in one object twice.'),
        (b'{"\\ud800": 1, "\\ud800": 2}', '"\\ud800" is in one object twice.'),
        (b'{"x":' * 10_000 + b"1" + b"}" * 10_000, "The request is nested more than 100 deep."),
        (b"[" * 100_000, "The request is nested more than 100 deep."),
        (b'{"x": NaN}', "The request is not JSON: NaN is not a number."),
        (b'{"x": -Infinity}', "The request is not JSON: -Infinity is not a number."),
        (b'{"x": ' + b"9" * 5000 + b"}", "The request is not JSON: a number in it is too long."),
        (b'{"x": 1e99999999999999999999}', "The request is not JSON: a number in it is too long."),
        (b'{"name": "Caf\xe9"}', "The request is not UTF-8, from byte 13 on."),
        ('{"name": "x"}'.encode("utf-16"), "The request is not UTF-8, from byte 0 on."),
        (b'{"name": "\xed\xa0\x80"}', "The request is not UTF-8, from byte 10 on."),
        (b'{"name": "a\x00b"}', "The request is not JSON: Invalid control character at, line 1, column 12."),
        (b'{"name": "x"} {}', "The request is not JSON: Extra data, line 1, column 15."),
        (b"a=1&b=2", "The request is not JSON: …"),
        (b"\x00" * 100, "The request is not JSON: …"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_body_that_is_not_a_json_object(refuses, body, sentence):
    refuses(400, sentence, body)


def test_brackets_in_text_are_no_nesting(http_api):
    http_api.ask("customers/get_list", search='[{"' * 80)


# --- how a body comes over the line ---------------------------------------------------------------------------


@pytest.mark.parametrize("mib", [1, 5, 17, 100])
def test_a_body_of_more_than_1_mib_hears_why(refuses, mib):
    refuses(413, "The request is larger than 1 MiB.", b'{"notes": "' + b"x" * mib * MIB)


def test_a_body_of_1_mib_is_read(http_api):
    body = b'{"search": "none"' + b" " * (MIB - 18) + b"}"
    assert len(body) == MIB
    assert http_api.send("customers/get_list.php", body).status_code == 200


@pytest.mark.parametrize(
    ("change", "status"), [({"key": "wrong"}, 401), ({"call": "orders/fly"}, 404), ({"method": "PUT"}, 405)]
)
def test_who_is_refused_unread_hears_why_too(http_api, change, status):
    http_api.key = change.get("key", http_api.key)
    call, method = change.get("call", "orders/add"), change.get("method", "POST")
    assert http_api.send(f"{call}.php", b"x" * 20 * MIB, method).status_code == status


def chunks(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def test_a_body_in_chunks_is_read_whole(http_api):
    head = http_api.head("customers/get_list", Transfer_Encoding="chunked")
    answer = http_api.raw(head, chunks(b'{"limit"', b": 1, ", b'"colour": 2}')).answer
    assert len(answer["customers"]) == 1
    assert answer["warnings"] == ["Unknown field, ignored: colour"]


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        (chunks(*[b"x" * 65536] * 60), 413, "The request is larger than 1 MiB."),
        (b'zz\r\n{"name": "Half"}\r\n0\r\n\r\n', 400, "The request did not arrive whole."),
        (b'10\r\n{"name": "Half"}0\r\n\r\n', 400, "The request did not arrive whole."),
        (chunks(b'{"name": "Half"'), 400, "The request is not JSON: Expecting ',' delimiter, line 1, column 16."),
    ],
    ids=["too large", "no number", "no end", "no JSON"],
)
def test_chunks_that_are_wrong(site, http_api, body, status, sentence):
    before = site.state()
    response = http_api.raw(http_api.head("customers/add", Transfer_Encoding="chunked"), body)
    assert (response.status_code, response.answer["error"]) == (status, sentence)
    assert site.state() == before


def test_a_line_that_is_cut_in_the_middle_of_a_request(site, http_api):
    """Although what came is JSON: the rest may have been more."""
    before, last = site.state(), site.last_activity()
    line = http_api.begin(http_api.head("customers/add", Content_Length="50"), HALF)
    line.shutdown(socket.SHUT_WR)  # we go on listening
    response = http_api.end(line)
    sentence = "The request ended before its Content-Length."
    assert (response.status_code, response.answer["error"]) == (400, sentence)
    assert site.state() == before
    assert [line["why"] for line in site.activities(last)] == [sentence]


def test_more_than_was_announced_is_left(site, http_api):
    before = site.state()
    response = http_api.raw(http_api.head("customers/add", Content_Length="15"), HALF)
    assert (response.status_code, response.answer["error"][:23]) == (400, "The request is not JSON")
    assert site.state() == before


@pytest.mark.parametrize("length", ["abc", "-5", "5, 5", "1" + "0" * 30])
def test_a_content_length_that_is_none(site, http_api, length):
    before = site.state()
    line = http_api.begin(http_api.head("customers/add", Content_Length=length), HALF)
    line.shutdown(socket.SHUT_WR)
    assert http_api.end(line).status_code in (400, 413)
    assert site.state() == before


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"post /connect/v1/storages/get_list.php HTTP/1.1", 400),
        (b"POST /connect/v1/storages/get_list.php HTTP/9.9", 400),
        (b"POST /connect/v1/storages/get_list.php?" + b"x" * 10_000 + b" HTTP/1.1", 414),
        (b"nonsense", 400),
        (b"POST /connect/v1/x.php HTTP/1.1\r\nX: a\0b", 400),
        (b"POST /connect/v1/x.php HTTP/1.1\r\nX: " + b"x" * 20_000, 431),
        (b"POST /connect/v1/x.php HTTP/1.1\r\nTransfer-Encoding: rot13", 501),
        (b"POST /connect/v1/x.php HTTP/1.1\r\nExpect: miracles", 417),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_is_hardly_http_is_answered_in_json(http_api, request_line, status):
    response = http_api.raw(request_line + b"\r\nHost: localhost\r\n\r\n")
    assert (response.status_code, response.answer["success"]) == (status, False)


# --- fields --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"num": None}, "num is required."),
        ({"num": " "}, "num must not be empty."),
        ({"num": []}, "num must be text."),
        ({"num": "9" * 65}, "num is longer than 64 characters."),
        ({"num": "9" * 63}, "num is longer than 62 characters."),
        ({"num": "a\0b"}, "num has characters that cannot be stored."),
        ({"notes": "\ud800"}, "notes has characters that cannot be stored."),
        ({"customer_name": None}, "customer_id or customer_name is required."),
        ({"customer_name": 5}, "customer_name must be text."),
        ({"customer_name": "x" * 256}, "customer_name is longer than 255 characters."),
        ({"customer_email": "x" * 255}, "customer_email is longer than 254 characters."),
        ({"products": None}, "products must be a list."),
        ({"products": []}, "products must not be empty."),
        ({"products": {}}, "products must be a list."),
        ({"products": [1]}, "products[0] must be an object."),
        ({"products": [{}]}, "products[0].sku is required. products[0].amount is required. …"),
        ({"discount": -1}, "discount must not be negative."),
        ({"discount": "-0.01"}, "discount must not be negative."),
        ({"discount": "NaN"}, "discount must be a number."),
        ({"discount": "Infinity"}, "discount must be a number."),
        ({"discount": "1e3"}, "discount must be a number."),
        ({"discount": True}, "discount must be a number."),
        ({"discount": 1.0001}, "discount must have at most 2 decimals."),
        ({"discount": 10**11}, "discount must be below 100,000,000,000."),
        ({"delivery_price": "999999999999999"}, "delivery_price must be below 100,000,000,000."),
        ({"date_placed": "2026-02-30"}, "date_placed must be a date such as 2026-11-22."),
        ({"date_placed": "01.02.2026"}, "date_placed must be a date such as 2026-11-22."),
        ({"date_placed": "0000-01-01"}, "date_placed must be a date such as 2026-11-22."),
        ({"date_shipped": "2026-11-22T10:00:00"}, "date_shipped must be a date such as 2026-11-22."),
        ({"date_shipped": 20260201}, "date_shipped must be a date such as 2026-11-22."),
        ({"date_shipped": "２０２６-01-01"}, "date_shipped must be a date such as 2026-11-22."),
        ({"storage_id": "12abc"}, "storage_id must be a number."),
        ({"storage_id": 12.5}, "storage_id must be a whole number from 0 to 9223372036854775807."),
        ({"customer_id": 2**63}, "customer_id must be a whole number from 0 to 9223372036854775807."),
        ({"customer_id": -1}, "customer_id must be a whole number from 0 to 9223372036854775807."),
        ({"customer_id": 10**30}, "customer_id must be a whole number from 0 to 9223372036854775807."),
        ({"production": 2}, "production must be 1 or 0."),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_field_that_is_wrong_is_named(refuses, change, sentence):
    refuses(400, sentence, {**SALE, **change})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"amount": "0.0001"}, "products[0].amount must have at most 3 decimals."),
        ({"amount": 1.2345}, "products[0].amount must have at most 3 decimals."),
        ({"amount": -1}, "products[0].amount must not be negative."),
        ({"amount": None}, "products[0].amount is required."),
        ({"amount": 10**14}, "products[0].amount must be below 100,000,000,000."),
        ({"total": 10.0001}, "products[0].total must have at most 2 decimals."),
        ({"total": "12,50"}, "products[0].total must be a number."),
        ({"total": [1]}, "products[0].total must be a number."),
        ({"sku": None}, "products[0].sku is required."),
        ({"sku": "x" * 256}, "products[0].sku is longer than 255 characters."),
        ({"sku": "NONE"}, "All products have wrong SKU"),
        ({"sku": "GONE"}, "All products have wrong SKU"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_line_that_is_wrong_is_named(refuses, change, sentence):
    refuses(400, sentence, {**SALE, "products": [{**SALE["products"][0], **change}]})


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (b"1e400", "products[0].total must be below 100,000,000,000."),
        (b"1e-400", "products[0].total must have at most 2 decimals."),
        (b"-1e400", "products[0].total must not be negative."),
        (b"123456789012345678901234567890", "products[0].total must be below 100,000,000,000."),
    ],
)
def test_numbers_beyond_all_bounds(refuses, number, sentence):
    refuses(400, sentence, json.dumps(SALE).encode().replace(b'"total": 10', b'"total": ' + number))


def test_a_sale_that_adds_up_to_more_than_can_be_stored(refuses):
    largest = {"sku": "MUG", "amount": 1, "total": "99999999999.99"}
    refuses(400, "The total of the sale is too large.", {**SALE, "products": [largest] * 2})
    refuses(
        400, "The cost of Mug is not an amount below 100,000,000,000.",
        {**SALE, "products": [{**largest, "amount": "99999999999"}]},
    )  # fmt: skip


#: What no field takes, or only some do.
WRONG = [[], {}, True, "\0", "\ud800", "x" * 30_000, -1, 10**30, -(10**30), 1.23456]
#: What only text takes.
TEXTS = ["12abc", "2026-02-30", "NaN"]
#: What JSON has no number for, or Python has not.
NUMBERS = [b"NaN", b"1e400", b"-1e400", b"1e-400", b"1e99999999999999999999", b"9" * 5000, b"012", b".5", b"0x10"]


@pytest.mark.parametrize("call", sorted(VIEWS))
def test_no_call_breaks_or_stores_when_all_its_fields_are_wrong(site, http_api, call):
    names = fields_of(call)
    values = WRONG if call == "customers/add.php" else WRONG + TEXTS
    bodies = [json.dumps(dict.fromkeys(names, value)).encode() for value in values]
    bodies += [b"{%s}" % b", ".join(b'"%s": %s' % (name.encode(), number) for name in names) for number in NUMBERS]
    before = site.state()
    for body in bodies:
        response = http_api.send(call, body)
        assert response.status_code in (400, 404) or not names, (body[:80], response.answer)
    assert site.state() == before


def fields_of(call: str) -> list[str]:
    document = openapi()
    content = document["paths"][f"/connect/v1/{call}"]["post"]["requestBody"]["content"]
    name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
    return sorted(document["components"]["schemas"][name].get("properties", {}))


# --- ids -----------------------------------------------------------------------------------------------------

SALES = {"num": "1", "products": SALE["products"], "status": 0}
NAMED = {"name": "X", "unit": "pcs", "stock": 1}


@pytest.mark.parametrize("call", ["edit", "patch", "update_status", "update_payment", "delete", "get_entry"])
@pytest.mark.parametrize("which", [2**62, 0, "deleted_order_id"])
def test_a_sale_that_there_is_not(site, refuses, call, which):
    order_id = site.known.get(which, which)
    refuses(404, "Order not found", {**SALES, "order_id": order_id}, f"orders/{call}")


@pytest.mark.parametrize("call", ["edit", "patch", "delete", "get_entry"])
@pytest.mark.parametrize("which", [2**62, 0, "deleted_customer_id"])
def test_a_customer_that_there_is_not(site, refuses, call, which):
    refuses(
        404, "Customer not found", {"name": "X", "customer_id": site.known.get(which, which)}, f"customers/{call}"
    )  # fmt: skip


@pytest.mark.parametrize("call", ["edit", "patch", "update_stock", "delete", "get_entry"])
@pytest.mark.parametrize("which", [2**62, 0, "deleted_product_id"])
def test_a_product_that_there_is_not(site, refuses, call, which):
    body = {**NAMED, "storage_id": site.known["storage_id"], "product_id": site.known.get(which, which)}
    refuses(404, PRODUCT, body, f"products/{call}")


@pytest.mark.parametrize("call", ["add", "edit", "patch", "update_stock", "get_list", "get_entry"])
def test_a_storage_that_there_is_not(site, refuses, call):
    body = {**NAMED, "product_id": site.known["product_id"], "storage_id": 2**62}
    refuses(404, "Storage not found", body, f"products/{call}")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"customer_id": 2**62}, "Customer not found"),
        ({"customer_id": "deleted_customer_id"}, "Customer not found"),
        ({"storage_id": "777"}, "Storage not found"),
    ],
)
def test_a_sale_that_names_what_there_is_not(site, refuses, change, sentence):
    ids = {name: site.known.get(value, value) for name, value in change.items()}
    refuses(404, sentence, {**SALE, **ids})
    refuses(404, sentence, {**SALE, **ids, "order_id": site.known["order_id"]}, "orders/edit")


@pytest.mark.parametrize("value", ["12abc", "0x1", "1e0", "١", "", True, [], {}, 1.5, "9" * 70])
@pytest.mark.parametrize(
    ("call", "name"), [("orders/get_entry", "order_id"), ("customers/delete", "customer_id"),
                       ("products/delete", "product_id"), ("products/get_list", "storage_id")],
)  # fmt: skip
def test_an_id_that_is_none(refuses, call, name, value):
    refuses(400, f"{name} must be …", {name: value}, call)


# --- what is taken --------------------------------------------------------------------------------------------


def test_a_sale_of_5_000_lines(site, http_api):
    lines = [{"sku": ("MUG", "CUP")[each % 2], "amount": "0.001", "total": 1} for each in range(5000)]
    order_id = http_api.ask("orders/add", num="5000", customer_name="Anna", products=lines)["order_id"]
    order = http_api.ask("orders/get_entry", order_id=order_id)["order"]
    assert (order["lines"], order["amount"], order["subtotal"]) == ("5000", "5.000", "5000.00")
    http_api.ask("orders/edit", order_id=order_id, num="5000", products=lines[:4000])
    http_api.ask("orders/update_status", order_id=order_id, status=3)
    order = http_api.ask("orders/get_entry", order_id=order_id)["order"]
    assert (order["lines"], order["status"], len(order["shipments"][0]["lines"])) == ("4000", "3", 4000)
    http_api.ask("orders/delete", order_id=order_id)


def test_a_name_that_is_no_text_is_ignored_like_every_unknown_field(http_api):
    answer = http_api.send("customers/get_list.php", b'{"\\ud800": 1, "a\\u0000": 2, "limit": 1}').answer
    assert answer["warnings"] == ["Unknown field, ignored: ?", "Unknown field, ignored: a\0"]


def test_two_clients_who_edit_one_sale_at_the_same_time(site, http_api):
    """One after the other, whoever comes first: the sale is what one of them said, and never half of each."""
    order_id = http_api.ask("orders/add", num="both", customer_name="Anna", products=SALE["products"])["order_id"]
    wanted = {
        "one": [{"sku": "MUG", "amount": 1, "total": 10}, {"sku": "CUP", "amount": 3, "total": 30}],
        "two": [{"sku": "CUP", "amount": 2, "total": 5}, {"sku": "CUP", "amount": 2, "total": 5}],
    }
    statuses: list[int] = []

    def edit(name: str) -> None:
        wire = Wire(site.url, http_api.key)
        for _ in range(15):
            body = {"order_id": order_id, "num": "both", "notes": name, "products": wanted[name]}
            statuses.append(wire.send("orders/edit.php", json.dumps(body).encode()).status_code)

    clients = [threading.Thread(target=edit, args=(name,)) for name in wanted]
    for client in clients:
        client.start()
    for client in clients:
        client.join(60)
    assert statuses == [200] * 30
    order = http_api.ask("orders/get_entry", order_id=order_id)["order"]
    lines = [
        {"sku": line["sku"], "amount": int(line["amount"]), "total": int(line["total"])} for line in order["products"]
    ]
    assert lines == wanted[order["notes"]]
    assert order["subtotal"] == f"{sum(line['total'] for line in lines)}.00"


def test_one_keys_request_for_another_connections_sale(site, http_api):
    """Allowed, as there is one merchant; the sale keeps the prefix of its own connection."""
    order_id = http_api.ask("orders/add", num="mine", customer_name="Anna", products=SALE["products"])["order_id"]
    http_api.key = site.known["till_key"]
    http_api.ask("orders/edit", order_id=order_id, num="still", products=SALE["products"])
    assert http_api.ask("orders/get_entry", order_id=order_id)["order"]["num"] == "W-still"
    theirs = http_api.ask("orders/add", num="still", customer_name="Anna", products=SALE["products"])["order_id"]
    assert http_api.ask("orders/get_entry", order_id=theirs)["order"]["num"] == "T-still"
    http_api.ask("orders/delete", order_id=order_id)


# --- at the end, as it takes 5 seconds from the beginning ------------------------------------------------------


def test_a_client_that_falls_silent_is_told_and_nothing_is_stored(site, http_api, silent):
    before = site.state()
    response = http_api.end(silent)
    assert (response.status_code, response.answer["error"]) == (408, SILENCE)
    assert site.state() == before
    assert not site.read("SELECT id FROM sales_customer WHERE name = 'Half'")
