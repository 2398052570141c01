"""manage.py connect api"""

import json

import pytest
from django.core.management import CommandError

from catalog.models import Storage
from integrations.models import ApiKey, Connection
from tests.api.conftest import Api
from tests.integrations.test_commands import call

pytestmark = pytest.mark.django_db


def test_the_key_that_is_printed_works():
    answer = json.loads(call("connect", "api", "--name", "Till", "--prefix", "T-", "--storage", "Depot", "--json"))
    connection = Connection.objects.get(pk=answer["id"])
    assert (connection.platform, connection.state, connection.prefix) == ("api", "active", "T-")
    assert Api(answer["key"]).ask("storages/get_list")["storages"] == [
        {"id": Storage.objects.get(name="Depot").pk, "name": "Depot", "is_default": True}
    ]


def test_the_key_is_kept_by_nobody():
    answer = json.loads(call("connect", "api", "--name", "Till", "--json"))
    row = ApiKey.objects.values().get()
    assert answer["key"].startswith(row["beginning"])
    assert answer["key"] not in str(row)


def test_connecting_again_changes_the_connection_and_makes_another_key():
    first = json.loads(call("connect", "api", "--name", "Till", "--prefix", "A-", "--json"))
    second = json.loads(call("connect", "api", "--name", "till", "--prefix", "B-", "--json"))
    assert (first["id"], second["prefix"]) == (second["id"], "B-")
    for each in (first, second):
        Api(each["key"]).ask("customers/get_list")


def test_the_key_is_printed_once_for_people():
    lines = call("connect", "api", "--name", "Till").splitlines()
    assert lines[-1].startswith("sb_")


@pytest.mark.parametrize("wrong", [["--prefix", "x" * 17], ["--currency", "DOLLAR"], ["--name", " "]])
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(CommandError):
        call("connect", "api", "--name", "Till", *wrong)
    assert not ApiKey.objects.exists()
