"""What the calls of the General API cost, against the least that a Django app can do with the ORM."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from bench import callgrind, filling
from bench.asking import FloorProgram, Maker, Program
from bench.callgrind import Application
from bench.compare import Side, compare
from bench.report import Row
from bench.servers import Web, web
from bench.stage import Stage
from bench.webhook import prepare_floor

ROUNDS = 5
#: A key's rate is counted as ever, but never reached.
NO_LIMIT = {"API_RATE": "1000000", "API_BURST": "1000000"}


@dataclass(frozen=True, slots=True)
class Operation:
    """`most`: times the floor; None: only told. `a_slice` of a side in turn, `operations` of each in a round;
    `counted` of which callgrind counts the instructions.
    """

    what: str
    floor: Maker
    ours: Maker
    most: float | None
    operations: int
    a_slice: int
    counted: int


def operations(floor: FloorProgram, ours: Program) -> list[Operation]:
    return [
        Operation("orders/add with 3 lines", floor.add_sale, ours.add_sale, 2.0, 150, 25, 12),
        Operation("the same with an Idempotency-Key", floor.add_sale, ours.add_sale_once, None, 100, 25, 12),
        Operation("update_stock", floor.count_stock, ours.count_stock, 2.5, 150, 25, 12),
        _list(floor, ours, 1_000, 20, 5, 3),
        _list(floor, ours, filling.LISTED, 2, 1, 1),
    ]


def _list(floor: FloorProgram, ours: Program, products: int, times: int, a_slice: int, counted: int) -> Operation:
    """All products in one answer, as nobody can ask for more than 1,000 at a time but for all."""
    limit = None if products == filling.LISTED else products
    asked = partial(floor.list_products, products), partial(ours.list_products, limit)
    return Operation(f"products/get_list of {products:,}", *asked, 1.5, times, a_slice, counted)


def measure(here: Stage) -> list[Row]:
    """Nothing on SQLite."""
    if here.database == "SQLite":
        return []
    prepare_floor(here)
    todo = operations(filling.floor_program(here), filling.program(here))
    with web("bench.floor.wsgi", here) as floor_web, web("config.wsgi", here, **NO_LIMIT) as our_web:
        rows = [_row(here, each, floor_web, our_web) for each in todo]
    return [*rows, *_instructions(here, todo)]


def _row(here: Stage, each: Operation, floor_web: Web, our_web: Web) -> Row:
    floor, ours = Side(floor_web, each.floor), Side(our_web, each.ours)
    found = compare((floor, ours), operations=each.operations, a_slice=each.a_slice, rounds=ROUNDS)
    target, holds = ("", None) if each.most is None else (f"≤ {each.most:g} ×", found.ratio <= each.most)
    return Row(each.what, here.database, f"{found.second:.2f} {found.unit}", f"floor {found}", target, holds)


def _instructions(here: Stage, todo: list[Operation]) -> list[Row]:
    if not callgrind.is_here():
        return []
    floor, ours = callgrind.million_instructions(
        here,
        Application("bench.floor.wsgi", [(each.floor, each.counted) for each in todo]),
        Application("config.wsgi", [(each.ours, each.counted) for each in todo], NO_LIMIT),
    )
    return [
        Row(
            f"{each.what}: Python's side alone",
            here.database,
            f"{of_ours:.2f} M instructions",
            f"floor {of_floor:.2f}: {of_ours / of_floor:.2f} ×",
        )
        for each, of_floor, of_ours in zip(todo, floor, ours, strict=True)
    ]
