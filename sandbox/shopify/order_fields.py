"""How orders and what belongs to them answer the fields that they have no attribute for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from graphql import GraphQLResolveInfo

from sandbox.shopify import money
from sandbox.shopify.money import totals
from sandbox.shopify.paging import length, page
from sandbox.shopify.state import (
    ZERO,
    Company,
    Customer,
    Fulfillment,
    FulfillmentOrder,
    Line,
    Location,
    Order,
    number,
)
from sandbox.shopify.stock_fields import location_of

Info = GraphQLResolveInfo
Resolver = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Owned:
    """Something of an order, which is needed to tell its money or its lines."""

    order: Order
    thing: Any

    @property
    def gid(self) -> str:
        return str(self.thing.gid)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.thing, name)


@dataclass(frozen=True, slots=True)
class Part:
    """So many units of a line, in something that was sent or is to be."""

    order: Order
    line: Line
    quantity: int
    remaining: int
    gid: str


@dataclass(frozen=True, slots=True)
class PurchasingCompany:
    company: Company


def bag(amount: Decimal, order: Order) -> dict[str, Any]:
    seen, currency = money.presented(amount, order)
    return {
        "shopMoney": {"amount": amount, "currencyCode": order.currency},
        "presentmentMoney": {"amount": seen, "currencyCode": currency},
    }


def connection(things: Iterable[Any], first: int | None, after: str | None) -> dict[str, Any]:
    return page(things, first, after)


def of_order(amount: Callable[[Order], Decimal]) -> Resolver:
    return lambda order, info: bag(amount(order), order)


def owned(order: Order, things: Iterable[Any]) -> list[Owned]:
    return [Owned(order, thing) for thing in things]


def line_items(order: Order, info: Info, first: int | None = None, after: str | None = None) -> Any:
    return page(owned(order, order.lines), first, after)


def purchasing_entity(order: Order, info: Info) -> PurchasingCompany | Customer | None:
    book = info.context.shop.book
    if order.company_gid:
        return PurchasingCompany(book.companies[order.company_gid])
    customer: Customer | None = book.customers.get(order.customer_gid)
    return customer


def fulfillment_orders(
    order: Order, info: Info, first: int | None = None, after: str | None = None, displayable: bool = False
) -> Any:
    """None until the order is routed; those with nothing in them any more are not for display."""
    shown = [each for each in order.fulfillment_orders if order.is_routed and not (displayable and each.is_cancelled)]
    return page(owned(order, shown), first, after)


def sent_parts(sent: Owned, info: Info, first: int | None = None, after: str | None = None) -> Any:
    return page(_parts(sent, sent.thing.quantities, sent.thing.quantities, "FulfillmentLineItem"), first, after)


def assigned_parts(assigned: Owned, info: Info, first: int | None = None, after: str | None = None) -> Any:
    parts = _parts(assigned, assigned.thing.total, assigned.thing.remaining, "FulfillmentOrderLineItem")
    return page(parts, first, after)


def _parts(of: Owned, quantities: dict[str, int], remaining: dict[str, int], kind: str) -> list[Part]:
    """In the order of the lines. Their ids are made of the two that they join."""
    return [
        Part(of.order, line, quantities[line.gid], remaining[line.gid], f"gid://shopify/{kind}/{number(line.gid)}")
        for line in of.order.lines
        if line.gid in quantities
    ]


def refund_parts(refund: Owned, info: Info, first: int | None = None, after: str | None = None) -> Any:
    return page(owned(refund.order, refund.thing.lines), first, after)


def shipping_lines(order: Order, info: Info, first: int | None = None) -> Any:
    lines = [{"title": order.shipping_title, "order": order}] if order.shipping_title else []
    return {"nodes": lines[: length(first)]}


def tax_lines(line: Owned, info: Info) -> list[dict[str, Any]]:
    if not line.tax_rate:
        return []
    amount = money.line_totals(line.order, line.thing, line.quantity).tax
    return [{"title": "VAT", "rate": float(line.tax_rate), "priceSet": bag(amount, line.order)}]


def tracking(sent: Owned, info: Info, first: int | None = None) -> list[dict[str, str | None]]:
    thing: Fulfillment = sent.thing
    if not (thing.tracking_company or thing.tracking_number or thing.tracking_url):
        return []
    return [
        {
            "company": thing.tracking_company or None,
            "number": thing.tracking_number or None,
            "url": thing.tracking_url or None,
        }
    ]


def assigned_location(assigned: Owned, info: Info) -> dict[str, Any]:
    thing: FulfillmentOrder = assigned.thing
    location = location_of(thing.location_gid, info)
    return {"name": location.name if location else "", "location": location}


def refund_location(part: Owned, info: Info) -> Location | None:
    return location_of(part.location_gid, info)


FIELDS: dict[str, dict[str, Resolver]] = {
    "Order": {
        "legacyResourceId": lambda order, info: number(order.gid),
        "confirmed": lambda order, info: True,
        "closed": lambda order, info: order.closed_at is not None,
        "currencyCode": lambda order, info: order.currency,
        "presentmentCurrencyCode": lambda order, info: order.presentment_currency or order.currency,
        "paymentGatewayNames": lambda order, info: order.gateways,
        "discountCodes": lambda order, info: [order.discount_code] if order.discount_code else [],
        "displayFinancialStatus": lambda order, info: money.financial_status(order),
        "displayFulfillmentStatus": lambda order, info: money.fulfillment_status(order),
        "fullyPaid": lambda order, info: not money.outstanding(order),
        "retailLocation": lambda order, info: location_of(order.retail_location_gid, info),
        "customer": lambda order, info: info.context.shop.book.customers.get(order.customer_gid),
        "purchasingEntity": purchasing_entity,
        "lineItems": line_items,
        "shippingLines": shipping_lines,
        "fulfillmentOrders": fulfillment_orders,
        "fulfillments": lambda order, info, first=None: owned(order, order.fulfillments[:first]),
        "refunds": lambda order, info, first=None: owned(order, order.refunds[:first]),
        "currentTotalPriceSet": of_order(lambda order: totals(order).total),
        "currentSubtotalPriceSet": of_order(lambda order: totals(order).subtotal),
        "currentTotalTaxSet": of_order(lambda order: totals(order).tax),
        "currentTotalDiscountsSet": of_order(lambda order: totals(order).discount),
        "currentShippingPriceSet": of_order(lambda order: totals(order).shipping),
        "currentTotalDutiesSet": lambda order, info: bag(order.duties, order) if order.duties else None,
        "currentTotalAdditionalFeesSet": lambda order, info: None,
        "totalPriceSet": of_order(lambda order: totals(order, current=False).total),
        "totalTaxSet": of_order(lambda order: totals(order, current=False).tax),
        "totalDiscountsSet": of_order(lambda order: totals(order, current=False).discount),
        "totalShippingPriceSet": of_order(lambda order: order.shipping_price),
        "totalCashRoundingAdjustment": lambda order, info: {
            "paymentSet": bag(order.cash_rounding, order),
            "refundSet": bag(ZERO, order),
        },
        "totalTipReceivedSet": of_order(lambda order: totals(order, current=False).tip),
        "totalReceivedSet": of_order(lambda order: order.received),
        "totalRefundedSet": of_order(money.refunded),
        "totalOutstandingSet": of_order(money.outstanding),
    },
    "LineItem": {
        "variant": lambda line, info: info.context.shop.book.variants.get(line.variant_gid),
        "originalUnitPriceSet": lambda line, info: bag(line.price, line.order),
        "discountedTotalSet": lambda line, info: bag(line.price * line.quantity - line.discount, line.order),
        "totalDiscountSet": lambda line, info: bag(line.discount, line.order),
        "taxLines": tax_lines,
        "lineItemGroup": lambda line, info: line.group,
    },
    "LineItemGroup": {"variantId": lambda group, info: group.variant_gid},
    "ShippingLine": {
        "originalPriceSet": lambda line, info: bag(line["order"].shipping_price, line["order"]),
        "currentDiscountedPriceSet": lambda line, info: bag(totals(line["order"]).shipping, line["order"]),
    },
    "Fulfillment": {
        "location": lambda sent, info: location_of(sent.location_gid, info),
        "trackingInfo": tracking,
        "fulfillmentLineItems": sent_parts,
    },
    "FulfillmentLineItem": {"lineItem": lambda part, info: Owned(part.order, part.line)},
    "FulfillmentOrder": {"assignedLocation": assigned_location, "lineItems": assigned_parts},
    "FulfillmentOrderLineItem": {
        "lineItem": lambda part, info: Owned(part.order, part.line),
        "totalQuantity": lambda part, info: part.quantity,
        "remainingQuantity": lambda part, info: part.remaining,
    },
    "Refund": {
        "refundLineItems": refund_parts,
        "totalRefundedSet": lambda refund, info: bag(refund.amount, refund.order),
    },
    "RefundLineItem": {
        "lineItem": lambda part, info: Owned(part.order, part.order.line(part.line_gid)),
        "location": refund_location,
    },
    "Customer": {
        "displayName": lambda customer, info: customer.name,
        "defaultEmailAddress": lambda customer, info: {"emailAddress": customer.email} if customer.email else None,
        "defaultPhoneNumber": lambda customer, info: {"phoneNumber": customer.phone} if customer.phone else None,
    },
}
