"""Ten thousand old orders, each of another customer, imported in one job."""

from __future__ import annotations

from bench.report import Row
from bench.stage import PRODUCTS, Stage, wait_for

ORDERS = 10_000
TARGET = 150
#: MB that the process may grow by while it imports them.
GROWTH_MB = 32


def measure(here: Stage) -> list[Row]:
    """Sold over the year, half of them sent. The time is that of reading the answer and of the database's work."""
    with here.without_deliveries():
        for number in range(ORDERS):
            lines = [(f"T{(number * 7 + line) % PRODUCTS}", 1 + line) for line in range(1 + number % 3)]
            order = here.shop.place_order(lines, email=f"old{number}@example.com")
            if number % 2:
                here.shop.fulfil(order)
        here.inside("ask_for_old_orders()")
        wait_for(lambda: all(each.is_over for each in here.shop.bulk.operations.values()), look_s=0.2, patience_s=900)
        (found,) = here.inside("import_old_orders()")
    rate, growth = ORDERS / found["seconds"], found["growth_mb"]
    what = f"{ORDERS:,} old orders imported"
    assert found["imported"] >= ORDERS, found
    return [
        Row(
            what,
            here.database,
            f"**{rate:.0f} a second**",
            f"{1000 * found['cpu_seconds'] / ORDERS:.1f} ms CPU an order",
            f"≥ {TARGET} a second",
            rate >= TARGET,
        ),
        Row(what, here.database, f"memory grew by {growth:.0f} MB", "", f"≤ {GROWTH_MB} MB", growth <= GROWTH_MB),
    ]
