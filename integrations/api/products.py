from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Q
from ninja import Router

from catalog import products, skus, sql, stock
from catalog.models import ZERO, Product, Sku, Storage
from catalog.products import Place, ProductDraft
from integrations.api import answers, bodies, counting, pages, shapes
from integrations.api.calls import Caller, Payload, call

router = Router(tags=["products"])
_ONE = Decimal(1)


@call(router, "add", answers.ProductMade, creates=True)
def add(caller: Caller, body: bodies.NewProduct) -> Payload:
    """Make a product; `stock` is what lies in that storage, `minimum` what should. A SKU in use is refused (409)."""
    place = Place(_storage(caller, body.storage_id), body.stock, body.minimum)
    product = products.add(_draft(body), place, now=caller.now, actor=caller.actor)
    caller.product_id = product.pk
    return {"product_id": product.pk}


@call(router, "edit")
def edit(caller: Caller, body: bodies.EditedProduct) -> Payload:
    """Optional fields that are not given are emptied; stock, cost and alternative SKUs stay."""
    place = Place(_storage(caller, body.storage_id), body.stock, body.minimum or ZERO)
    with transaction.atomic():
        now = products.draft_of(products.lock(body.product_id))
        draft = _draft(body)
        if body.cost is None:
            draft = replace(draft, cost=now.cost)
        if body.alternative_skus is None:
            draft = replace(draft, alternative_skus=now.alternative_skus)
        products.edit(body.product_id, draft, place, now=caller.now, actor=caller.actor)
    caller.product_id = body.product_id
    return {}


@call(router, "patch")
def patch(caller: Caller, body: bodies.PatchedProduct) -> Payload:
    """Fields that are not given stay. `stock` and `minimum` are of `storage_id`, or of the connection's storage."""
    place = Place(_storage(caller, body.storage_id or caller.storage_id), body.stock, body.minimum)
    given = body.model_fields_set & {"name", "unit", "sku", "price", "batch_size", "notes", "cost", "alternative_skus"}
    wanted = _draft(body)
    with transaction.atomic():
        draft = products.draft_of(products.lock(body.product_id))
        changes: dict[str, Any] = {field: getattr(wanted, field) for field in given}
        products.edit(
            body.product_id,
            replace(draft, **{name: value for name, value in changes.items() if value or name not in ("name", "unit")}),
            place,
            now=caller.now,
            actor=caller.actor,
        )
    caller.product_id = body.product_id
    return {}


@call(router, "update_stock")
def update_stock(caller: Caller, body: bodies.Counted) -> Payload:
    """Make `stock` what lies there now; `notes` are kept with the movement."""
    caller.product_id = _current(body.product_id)
    storage_id = _storage(caller, body.storage_id)
    stock.count(body.product_id, storage_id, body.stock, note=body.notes, actor=caller.actor, now=caller.now)
    return {}


@call(router, "update_stock_many", answers.StoredCounts)
def update_stock_many(caller: Caller, body: bodies.CountedRows) -> Payload:
    """Up to 1,000 rows, each for itself: one that is wrong says so in its place, and the others are stored."""
    rows = counting.count_each(caller, body.rows)
    return {"rows": rows, "failed": sum(not row["success"] for row in rows)}


@call(router, "delete")
def delete(caller: Caller, body: bodies.ProductId) -> Payload:
    """It is gone from lists and matching, its SKUs are free; sales keep it."""
    product = Product.objects.current().get(pk=body.product_id)
    caller.product_id = product.pk
    skus.delete_product(product, caller.now)
    return {}


@call(router, "get_list", answers.ProductList)
def get_list(caller: Caller, body: bodies.ProductPage) -> Payload:
    """The oldest first, with what lies in that storage. `search`: a part of the name or of a SKU."""
    rows = Product.objects.current().order_by("pk")
    if body.search:
        coded = Sku.objects.filter(code__icontains=body.search).values("product")
        rows = rows.filter(Q(name__icontains=body.search) | Q(pk__in=coded))
    if body.updated_from:
        rows = rows.filter(updated_at__gte=body.updated_from)
    shown = partial(_shown, storage_id=_storage(caller, body.storage_id))
    part = None if body.search or body.updated_from else "*"
    return pages.answer("products", rows, body, rows.values_list(*shapes.PRODUCT), shown, part=part)


@call(router, "get_entry", answers.ProductEntry)
def get_entry(caller: Caller, body: bodies.ProductPlace) -> Payload:
    """With what lies in that storage."""
    return {"product": _entry(caller, body.product_id, body.storage_id)}


@call(router, "find", answers.ProductEntry)
def find(caller: Caller, body: bodies.ProductCode) -> Payload:
    """By its main or an alternative SKU. Without `storage_id`, with what lies in the connection's storage."""
    match = skus.find([body.sku]).get(skus.normalise(body.sku))
    if match is None:
        raise Product.DoesNotExist
    return {"product": _entry(caller, match.product_id, body.storage_id or caller.storage_id)}


def _entry(caller: Caller, product_id: int, storage_id: int) -> Payload:
    row = Product.objects.current().values_list(*shapes.PRODUCT).get(pk=product_id)
    caller.product_id = product_id
    return _shown([row], _storage(caller, storage_id))[0]


def _shown(rows: list[shapes.Row], storage_id: int) -> list[Payload]:
    """With their SKUs and with what lies there. Two statements, for rows in the order of their ids."""
    if not rows:
        return []
    which, ids = _of([row[0] for row in rows])
    codes: dict[int, tuple[str, list[str]]] = {}
    for product_id, is_primary, code in sql.rows(_CODES.format(which), ids):
        if is_primary:
            codes[product_id] = code, []
        else:
            codes.setdefault(product_id, ("", []))[1].append(code)
    levels = {row[0]: row for row in sql.rows(_LEVELS.format(which), [storage_id, *ids])}
    return [shapes.product(row, codes.get(row[0]) or ("", []), levels.get(row[0])) for row in rows]


_CODES = """
    SELECT product_id, is_primary, code FROM catalog_sku WHERE product_id {} ORDER BY product_id, is_primary DESC, id
"""
_LEVELS = """
    SELECT product_id, CAST(on_hand AS text), CAST(reserved AS text), CAST(on_hand - reserved AS text),
        CAST(minimum AS text)
    FROM catalog_stock WHERE storage_id = %s AND product_id {}
"""


def _of(ids: list[int]) -> tuple[str, list[int]]:
    """These products. A range costs less than a thousand ids, unless most of it belongs to others."""
    if ids[-1] - ids[0] < 4 * len(ids):
        return "BETWEEN %s AND %s", [ids[0], ids[-1]]
    return f"IN {sql.marks(len(ids))}", ids


def _draft(body: bodies.NewProduct | bodies.PatchedProduct) -> ProductDraft:
    return ProductDraft(
        name=(body.name or "").strip(),
        unit=body.unit or "",
        sku=body.sku,
        alternative_skus=body.alternative_skus or [],
        price=body.price or ZERO,
        cost=body.cost or ZERO,
        batch_size=_ONE if body.batch_size is None else body.batch_size,
        notes=body.notes,
    )


def _storage(caller: Caller, storage_id: int) -> int:
    """The id, if there is such a storage. The connection's own needs no look."""
    if storage_id != caller.storage_id and not Storage.objects.filter(pk=storage_id).exists():
        raise Storage.DoesNotExist
    return storage_id


def _current(product_id: int) -> int:
    if not Product.objects.current().filter(pk=product_id).exists():
        raise Product.DoesNotExist
    return product_id
