"""What docs/api.md and the page of the API promise."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema_rs
import pytest
from pydantic import BaseModel
from schemathesis.specs.openapi.definitions import OPENAPI_31

from catalog.models import Storage
from integrations.api import answers, bodies
from integrations.api.document import openapi
from integrations.api.routes import VIEWS
from tests import make


def found(pattern: str) -> str:
    match = re.search(pattern, PAGE, re.MULTILINE | re.DOTALL)
    assert match, pattern
    return match[1]


PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()


#: Each `call`, with the lines that go on.
COMMANDS = re.findall(r"^    (call \w+/\w+\.php.*(?:\n      .*)*)", PAGE, re.MULTILINE)


def test_every_call_has_its_curl():
    assert {command.split()[1] for command in COMMANDS} == set(VIEWS)


@pytest.mark.django_db(transaction=True)
def test_the_example_runs(wire, live_server, tmp_path):
    for sku in ("A", "B"):
        make.product(sku)
    (tmp_path / "example.py").write_text(found(r"```python\n(.*?)```"))
    (tmp_path / "counts.csv").write_text("A,5\nB,2.5\nC,1\n")
    done = subprocess.run(
        [sys.executable, "example.py", "counts.csv"], cwd=tmp_path, capture_output=True, text=True, timeout=60,
        env={**os.environ, "URL": f"{live_server.url}/connect/v1", "KEY": wire.key}, check=False,
    )  # fmt: skip
    assert done.stdout.splitlines() == [
        "C: Product not found or access denied",
        "2 of 3 counts stored in Main.",
    ], done.stderr
    assert make.level(make.product("B")) == (make.units("2.5"), 0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_every_curl_works(wire, live_server):
    """One after the other as they stand there, but with the ids that the answers gave."""
    make.product("A001")
    ids = {"storage_id": Storage.objects.get().pk}
    function = found(r"^    (call\(\)[^\n]*)$")
    environment = {**os.environ, "URL": f"{live_server.url}/connect/v1", "KEY": wire.key}
    for command in COMMANDS:
        for name, value in ids.items():
            command = re.sub(rf'"{name}": 1\b', f'"{name}": {value}', command)
        done = subprocess.run(
            ["bash", "-c", f"{function}\n{command}"], capture_output=True, text=True, check=True, timeout=60,
            env=environment,
        )  # fmt: skip
        answer = json.loads(done.stdout)
        assert answer["success"] is True, (command, answer)
        assert "warnings" not in answer, (command, answer)
        ids |= {name: value for name, value in answer.items() if name.endswith("_id")}


def test_the_openapi_document_names_every_call_and_error(client):
    document = client.get("/connect/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert {path.removeprefix("/connect/v1/") for path in document["paths"]} == set(VIEWS)
    for path in document["paths"].values():
        assert set(path["post"]["responses"]) == {"200", *map(str, (400, 401, 404, 405, 408, 409, 413, 415, 429, 500))}
        assert path["post"]["security"]


def test_the_openapi_document_is_valid():
    document = openapi()
    jsonschema_rs.Draft202012Validator(OPENAPI_31).validate(document)
    for schema in document["components"]["schemas"].values():
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})


def test_every_call_is_explained_in_the_openapi_document():
    operations = [path["post"] for path in openapi()["paths"].values()]
    assert all(operation["summary"] and operation["description"] for operation in operations)
    assert all(operation["requestBody"]["content"]["application/json"]["schema"] for operation in operations)


def test_no_two_shapes_of_the_document_have_one_name():
    def names(module):
        return {name for name, each in vars(module).items() if isinstance(each, type) and issubclass(each, BaseModel)}

    assert names(answers) & names(bodies) == {"BaseModel"}  # the later one would replace the other


@pytest.mark.django_db
def test_the_page_loads_nothing_from_elsewhere(client):
    response = client.get("/connect/v1/docs")
    page = response.content.decode()
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", page)
    assert not re.findall(r"<script(?![^>]*(?:src=|application/json))", page)
    assert "'self'" in response.headers["Content-Security-Policy"]
    for path in re.findall(r'(?:src|href)="(/[^"]+)"', page):
        static = client.get(path)
        static.close()
        assert static.status_code == 200, path
