"""Orders, fulfillments and refunds as deliveries have them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from sandbox.shopify import blanks
from sandbox.shopify.blanks import blank
from sandbox.shopify.formats import Json, amount, both, local, money_set
from sandbox.shopify.money import financial_status, fulfillment_status, line_totals, outstanding, tax, totals
from sandbox.shopify.people_payloads import address, people
from sandbox.shopify.state import ZERO, Fulfillment, Line, Order, Refund, RefundLine, number

if TYPE_CHECKING:
    from sandbox.shopify.shop import Shop


def order(shop: Shop, order: Order) -> Json:
    now, first = totals(order), totals(order, current=False)
    status = {"UNFULFILLED": None, "PARTIALLY_FULFILLED": "partial"}.get(fulfillment_status(order), "fulfilled")
    made = {
        **blank(blanks.ORDER),
        "id": number(order.gid),
        "admin_graphql_api_id": order.gid,
        "app_id": None,
        "cancel_reason": order.cancel_reason.lower() or None,
        "cancelled_at": local(shop, order.cancelled_at),
        "closed_at": local(shop, order.closed_at),
        "confirmed": True,
        "created_at": local(shop, order.created_at),
        "currency": order.currency,
        "current_shipping_price_set": money_set(now.shipping, order),
        **both("current_subtotal_price", now.subtotal, order),
        "current_total_additional_fees_set": None,
        **both("current_total_discounts", now.discount, order),
        "current_total_duties_set": money_set(now.duties, order) if order.duties else None,
        **both("current_total_price", now.total, order),
        **both("current_total_tax", now.tax, order),
        "discount_applications": _discount_applications(order, first.discount),
        "discount_codes": _discount_codes(order, first.discount),
        "duties_included": False,
        "estimated_taxes": False,
        "financial_status": financial_status(order).lower(),
        "fulfillment_status": status,
        # Where it was sold, never where it is sent from.
        "location_id": number(order.retail_location_gid) if order.retail_location_gid else None,
        "name": order.name,
        "note": order.note or None,
        "note_attributes": [],
        "number": order.number - 1000,
        "order_number": order.number,
        "payment_gateway_names": order.gateways,
        "po_number": order.po_number or None,
        "presentment_currency": order.presentment_currency or order.currency,
        "processed_at": local(shop, order.processed_at),
        "source_name": order.source_name,
        **both("subtotal_price", first.subtotal, order),
        "tags": ", ".join(order.tags),
        "tax_exempt": False,
        "tax_lines": _tax_lines(first.tax, order.tax_rate, order),
        "taxes_included": order.taxes_included,
        "test": order.test,
        **both("total_discounts", first.discount, order),
        **both("total_line_items_price", first.subtotal + first.discount, order),
        "total_outstanding": amount(outstanding(order), order),
        **both("total_price", first.total, order),
        "total_shipping_price_set": money_set(first.shipping, order),
        **both("total_tax", first.tax, order),
        "total_cash_rounding_payment_adjustment_set": money_set(order.cash_rounding, order),
        "total_cash_rounding_refund_adjustment_set": money_set(ZERO, order),
        "total_tip_received": amount(first.tip, order),
        "updated_at": local(shop, order.updated_at),
        "user_id": None,
        "fulfillments": [fulfillment(shop, each, order=order) for each in order.fulfillments],
        "line_items": [line_item(shop, order, line) for line in order.lines],
        "refunds": [refund(shop, each, order=order) for each in order.refunds],
        "returns": [],
        "line_item_groups": [],
        "total_weight": 0,
        "shipping_lines": _shipping_lines(order),
        **people(shop, order),
    }
    if order.company_gid:
        made["company"] = {"id": number(order.company_gid), "location_id": None}
    return made


def _discount_codes(order: Order, discount: Decimal) -> list[Json]:
    if not order.discount_code:
        return []
    return [{"code": order.discount_code, "amount": amount(discount, order), "type": "fixed_amount"}]


def _discount_applications(order: Order, discount: Decimal) -> list[Json]:
    """One for everything that was taken off; lines refer to it by its place, 0."""
    if not discount:
        return []
    kind = {"type": "discount_code", "code": order.discount_code} if order.discount_code else {"type": "manual"}
    return [
        {
            **kind,
            "target_type": "line_item",
            "value": amount(discount, order),
            "value_type": "fixed_amount",
            "allocation_method": "across",
            "target_selection": "all",
        }
    ]


def _tax_lines(value: Decimal, rate: Decimal, order: Order) -> list[Json]:
    if not rate:
        return []
    return [
        {
            "price": amount(value, order),
            "rate": float(rate),
            "title": "VAT",
            "price_set": money_set(value, order),
            "channel_liable": False,
        }
    ]


def _shipping_lines(order: Order) -> list[Json]:
    if not order.shipping_title:
        return []
    return [
        {
            **blank(blanks.SHIPPING_LINE),
            "id": number(order.gid),
            "code": order.shipping_title,
            "current_discounted_price_set": money_set(totals(order).shipping, order),
            "is_removed": False,
            **both("discounted_price", order.shipping_price, order),
            **both("price", order.shipping_price, order),
            "source": "shopify",
            "title": order.shipping_title,
            "tax_lines": _tax_lines(tax(order.shipping_price, order.tax_rate, order), order.tax_rate, order),
            "discount_allocations": [],
        }
    ]


def line_item(shop: Shop, order: Order, line: Line) -> Json:
    whole = line_totals(order, line, line.quantity)
    variant = shop.book.variants.get(line.variant_gid)
    sent = {0: None, line.current_quantity: "fulfilled"}.get(line.fulfilled - line.returned, "partial")
    allocated = [{**both("amount", whole.discount, order), "discount_application_index": 0}] if whole.discount else []
    return {
        **blank(blanks.LINE),
        "id": number(line.gid),
        "admin_graphql_api_id": line.gid,
        "attributed_staffs": [],
        "current_quantity": line.current_quantity,
        "fulfillable_quantity": line.unfulfilled_quantity,
        "fulfillment_service": "manual",
        "fulfillment_status": sent,
        "gift_card": line.is_gift_card,
        "grams": 0,
        "name": line.name,
        **both("price", line.price, order),
        "product_exists": bool(line.product_gid),
        "product_id": number(line.product_gid) if line.product_gid else None,
        "properties": [],
        "quantity": line.quantity,
        "requires_shipping": line.requires_shipping,
        "sku": line.sku or None,
        "taxable": bool(line.tax_rate),
        "title": line.title,
        **both("total_discount", ZERO, order),
        "variant_id": number(line.variant_gid) if line.variant_gid else None,
        "variant_inventory_management": "shopify" if variant and variant.tracked else None,
        "variant_title": line.variant_title or None,
        "vendor": None,
        "tax_lines": _tax_lines(whole.tax, line.tax_rate, order),
        "duties": [],
        "discount_allocations": allocated,
    }


def fulfillment(shop: Shop, sent: Fulfillment, *, order: Order) -> Json:
    numbers = [sent.tracking_number] if sent.tracking_number else []
    urls = [sent.tracking_url] if sent.tracking_url else []
    lines = [line for line in order.lines if line.gid in sent.quantities]
    made: Json = {
        **blank(blanks.FULFILLMENT),
        "id": number(sent.gid),
        "admin_graphql_api_id": sent.gid,
        "order_id": number(order.gid),
        "status": sent.status.lower(),
        "created_at": local(shop, sent.created_at),
        "updated_at": local(shop, sent.updated_at),
        "service": "manual",
        "location_id": number(sent.location_gid),
        "name": sent.name,
        "tracking_company": sent.tracking_company or None,
        "tracking_number": sent.tracking_number or None,
        "tracking_numbers": numbers,
        "tracking_url": sent.tracking_url or None,
        "tracking_urls": urls,
        "receipt": {},
        "line_items": [{**line_item(shop, order, line), "quantity": sent.quantities[line.gid]} for line in lines],
    }
    if shop.customer_data:
        made |= {"email": order.email or None, "destination": address(order.shipping_address)}
    return made


def refund(shop: Shop, made: Refund, *, order: Order) -> Json:
    return {
        "id": number(made.gid),
        "admin_graphql_api_id": made.gid,
        "order_id": number(order.gid),
        "created_at": local(shop, made.created_at),
        "processed_at": local(shop, made.created_at),
        "note": made.note or None,
        "user_id": None,
        "restock": any(part.restock_type != "NO_RESTOCK" for part in made.lines),
        "duties": [],
        "return": None,
        "order_adjustments": [],
        "refund_shipping_lines": [],
        "total_duties_set": money_set(ZERO, order),
        "transactions": [{"kind": "refund", "status": "success", "amount": amount(made.amount, order)}],
        "refund_line_items": [
            {
                "id": number(part.gid),
                "quantity": part.quantity,
                "line_item_id": number(part.line_gid),
                "location_id": number(part.location_gid) if part.location_gid else None,
                "restock_type": part.restock_type.lower(),
                "subtotal": float(part.subtotal),
                "subtotal_set": money_set(part.subtotal, order),
                "total_tax": float(_tax_of(part, order)),
                "total_tax_set": money_set(_tax_of(part, order), order),
                "line_item": line_item(shop, order, order.line(part.line_gid)),
            }
            for part in made.lines
        ],
    }


def _tax_of(part: RefundLine, order: Order) -> Decimal:
    return tax(part.subtotal, order.line(part.line_gid).tax_rate, order)


def edited(shop: Shop, order: Order, additions: dict[Line, int], removals: dict[Line, int]) -> Json:
    now = local(shop, shop.now())
    return {
        "order_edit": {
            "id": number(shop.gid("OrderEdit")),
            "app_id": None,
            "created_at": now,
            "committed_at": now,
            "notify_customer": False,
            "order_id": number(order.gid),
            "staff_note": "",
            "user_id": None,
            "line_items": {
                "additions": [{"id": number(line.gid), "delta": delta} for line, delta in additions.items()],
                "removals": [{"id": number(line.gid), "delta": delta} for line, delta in removals.items()],
            },
            "discounts": {"line_item": {"additions": [], "removals": []}},
            "shipping_lines": {"additions": [], "removals": []},
        }
    }
