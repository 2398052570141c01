"""The documented examples: each request as bytes to a running server, each answer key by key and type by type."""

import json
from pathlib import Path
from typing import Any

import pytest

from catalog.models import Storage
from integrations.models import Connection
from tests import make

EXAMPLES = json.loads((Path(__file__).parent / "conformance.json").read_text())


def filled(value: Any, known: dict[str, Any]) -> Any:
    """ "$name" → what an earlier answer gave."""
    if isinstance(value, dict):
        return {key: filled(each, known) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, known) for each in value]
    return known[value[1:]] if isinstance(value, str) and value.startswith("$") else value


def compare(documented: Any, answered: Any, anything: list[str], path: str = "") -> None:
    """Every documented key, with its type and value; of `anything` only the type. What is beyond is allowed."""
    assert type(answered) is type(documented), f"{path}: {answered!r}, documented {documented!r}"
    if isinstance(documented, dict):
        assert not documented.keys() - answered.keys(), path
        for key, value in documented.items():
            if key.endswith("_id") or key in anything:
                assert type(answered[key]) is type(value), f"{path}.{key}"
                assert str(answered[key]).isdigit(), f"{path}.{key}"
            else:
                compare(value, answered[key], anything, f"{path}.{key}")
    elif isinstance(documented, list):
        for number, value in enumerate(documented):
            compare(value, answered[number], anything, f"{path}[{number}]")
    else:
        assert answered == documented, f"{path}: {answered!r}, documented {documented!r}"


@pytest.mark.django_db(transaction=True)
def test_every_documented_example(wire):
    Connection.objects.update(prefix="")
    known = {"storage_id": Storage.objects.get().pk}
    for example in EXAMPLES:
        if example["call"] == "orders/add.php":  # its products; before, the list of products is the documented one
            make.product("A001", name="Stool", cost="600")
            make.product("A002", name="Bench", cost="698.80")
            make.product("F003", name="Oak Dining Chair", cost="248.80")
        request = filled(example["request"], known)
        response = wire.send(example["call"], json.dumps(request).encode())
        answer = response.answer
        assert response.status_code == example.get("status", 200), (example["call"], answer)
        compare(example["response"], answer, example.get("any", []), example["call"])
        known |= {name: answer[key] for name, key in example.get("keep", {}).items()}
    assert {each["call"] for each in EXAMPLES} >= DOCUMENTED


DOCUMENTED = {
    f"{section}/{call}.php"
    for section, calls in {
        "customers": "add edit delete get_list get_entry",
        "orders": "add edit update_status update_payment delete get_list get_entry",
        "products": "add edit update_stock delete get_list get_entry",
    }.items()
    for call in calls.split()
}


@pytest.mark.django_db(transaction=True)
def test_the_documented_refusal_of_a_key(wire):
    wire.key = "your_api_key"
    assert wire.ask("orders/get_list", 401) == {"success": False, "error": "Unauthorized - invalid API key"}
