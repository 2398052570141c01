"""What was stored before a change of the tables is there after it."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def at():
    """The models as they were after a migration; the newest come back at the end."""

    def go(name: str):
        target = [("integrations", name)]
        MigrationExecutor(connection).migrate(target)
        return MigrationExecutor(connection).loader.project_state(target).apps.get_model

    yield go
    call_command("migrate", verbosity=0)


def test_unmatched_lines_are_gathered_by_connection_and_sku(at):
    model = at("0006_stock_since")
    shops = [
        model("integrations", "Connection").objects.create(platform="shopify", name=name, domain=name)
        for name in ("one", "two")
    ]
    for number, shop in enumerate([*shops, shops[0]]):
        order = model("integrations", "OrderLink").objects.create(connection=shop, external_id=str(number))
        for key in ("ghost", ""):
            order.unmatched_lines.create(external_id=f"{number}{key}", sku=key.title(), key=key, title="?", quantity=1)
    model = at("0009_unmatched_lines")
    rows = model("integrations", "UnmatchedSku").objects.order_by("connection__name")
    assert [(row.connection.name, row.key, row.sku, row.lines.count()) for row in rows] == [
        ("one", "ghost", "Ghost", 2),
        ("two", "ghost", "Ghost", 1),
    ]
    assert not model("integrations", "OrderLink").objects.filter(due_at=None).exists(), "what had no SKU is read again"
