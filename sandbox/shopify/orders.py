"""What shoppers and the merchant do with orders: place, pay, edit, cancel, archive, delete."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sandbox.shopify.basket import Item, lines_for
from sandbox.shopify.catalogue import Amount
from sandbox.shopify.money import refunded, totals
from sandbox.shopify.records import locked
from sandbox.shopify.shipping import Shipping, Units
from sandbox.shopify.state import (
    ZERO,
    Address,
    Company,
    Customer,
    Location,
    Order,
    Refund,
    RefundLine,
    Variant,
)

Wanted = Item | tuple[Variant | str, int]


@dataclass
class OrderSettings:
    currency: str = "EUR"
    taxes_included: bool = True
    tax_rate: Decimal = ZERO
    #: How long after an order the shop does not yet tell which location sends it.
    routing_delay: timedelta = timedelta(0)


class Orders(Shipping):
    settings: OrderSettings
    _unrouted: list[Order]

    @locked
    def place_order(
        self,
        items: Iterable[Wanted],
        *,
        email: str = "",
        name: str = "",
        phone: str = "",
        company: str = "",
        shipping_address: Mapping[str, str] | None = None,
        billing_address: Mapping[str, str] | None = None,
        shipping: Amount = ZERO,
        discount: Amount = ZERO,
        discount_code: str = "",
        tip: Amount = ZERO,
        duties: Amount = ZERO,
        gift_card: Amount = ZERO,
        cash_rounding: Amount = ZERO,
        presentment_currency: str = "",
        exchange_rate: Amount = 1,
        tax_rate: Amount | None = None,
        taxes_included: bool | None = None,
        paid: bool | Amount = True,
        authorized: bool = False,
        pos: Location | str | None = None,
        location: Location | str | None = None,
        test: bool = False,
        note: str = "",
        po_number: str = "",
        tags: Iterable[str] = (),
        source_name: str = "web",
        created_at: datetime | None = None,
    ) -> Order:
        """A shopper buys. SoldOut if there is not enough of something that is not sold below zero.

        items: (SKU or variant, units) or Item, which can be a custom item or have its own price and discount.
        discount: on the whole order, shared out over its lines. tax_rate: "0.2" is 20 %. paid: True, False, or how
        much. gift_card: how much of that with one. cash_rounding: what is paid more, or less, because there are no such
        coins. presentment_currency: what the customer sees and pays in; exchange_rate of it are one of the shop's own.
        pos: the location of the till; sold and handed over there at once. location: sent from there, whatever
        the stock. Addresses: keys of state.Address. The customer is found again by e-mail.
        """
        now = self.now()
        number = self.book.next_order
        order = Order(
            self.gid("Order"),
            f"#{number}",
            number,
            created_at=created_at or now,
            processed_at=created_at or now,
            updated_at=now,
            currency=self.settings.currency,
            lines=[],
            routed_at=self.clock() + self.settings.routing_delay,
            is_routed=not self.settings.routing_delay,
            taxes_included=self.settings.taxes_included if taxes_included is None else taxes_included,
            tax_rate=self.settings.tax_rate if tax_rate is None else Decimal(tax_rate),
            shipping_title="Standard" if Decimal(shipping) else "",
            shipping_price=Decimal(shipping),
            duties=Decimal(duties),
            cash_rounding=Decimal(cash_rounding),
            presentment_currency=presentment_currency,
            exchange_rate=Decimal(exchange_rate),
            gateways=[*(["gift_card"] if Decimal(gift_card) else []), "cash" if Decimal(cash_rounding) else "bogus"],
            discount_code=discount_code,
            is_authorized=authorized,
            source_name="pos" if pos else source_name,
            test=test,
            email=email,
            phone=phone,
            note=note,
            po_number=po_number,
            tags=list(tags),
        )
        order.lines = lines_for(
            self, items, order.tax_rate, order.currency, discount=Decimal(discount), tip=Decimal(tip)
        )
        place = pos or location
        place = self.location(place) if place else None
        self.assign(order, {line: line.quantity for line in order.lines if not line.is_tip}, place)
        self.book.next_order += 1
        self._name_customer(order, name, company)
        order.shipping_address = self._address(shipping_address, name, company)
        order.billing_address = self._address(billing_address or shipping_address, name, company)
        total = totals(order).total
        order.retail_location_gid = place.gid if place and pos else ""
        order.received = (total if paid and not authorized else ZERO) if isinstance(paid, bool) else Decimal(paid)
        self.book.orders[order.gid] = order
        if not order.is_routed:
            self._unrouted.append(order)
        self.changed(order, "orders/create", *(["orders/paid"] if order.received >= total > 0 else []))
        if pos:
            order.is_routed = True
            self.fulfil(order)
        return order

    @locked
    def pay(self, which: Order | str, amount: Amount | None = None) -> Order:
        """The customer pays so much, or what is still owed."""
        order = self.order(which)
        owed = totals(order).total - order.received + refunded(order)
        order.received += owed if amount is None else Decimal(amount)
        order.is_authorized = False
        return self.changed(order, *(["orders/paid"] if amount is None or Decimal(amount) >= owed else []))

    @locked
    def edit(
        self,
        which: Order | str,
        *,
        add: Iterable[Wanted] = (),
        quantities: Units | None = None,
        discounts: Mapping[str, Amount] | None = None,
        shipping: Amount | None = None,
        restock: bool = True,
    ) -> Order:
        """The merchant edits: new lines, and other quantities of those not yet sent (0 removes a line).

        SoldOut changes nothing; what the edit itself releases cannot be had. What is added is owed by the customer.
        discounts: line or SKU → what comes off its price, all units together; Shopify has no other way to change a
        price. shipping: added to what the order has. restock: removed units become available again.
        """
        order = self.order(which)
        deltas = {
            line: quantity - line.current_quantity
            for line, quantity in self.units(order, quantities or {}).items()
            if quantity != line.current_quantity
        }
        for line, delta in deltas.items():
            if -delta > line.unfulfilled_quantity:
                raise ValueError(f"Only {line.unfulfilled_quantity} of {line.title} can still be removed.")
        new = lines_for(self, add, order.tax_rate, order.currency)
        additions = {line: delta for line, delta in deltas.items() if delta > 0} | {line: line.quantity for line in new}
        removals = {line: -delta for line, delta in deltas.items() if delta < 0}
        if not (additions or removals or discounts or shipping):
            raise ValueError("There must be at least one change to be made.")
        self.assign(order, additions, None)
        for line, units in removals.items():
            line.removed += units
            self.withdraw(order, line, units, restock=restock)
        for line in set(additions) - set(new):
            line.quantity += additions[line]
        order.lines += new
        for which, amount in (discounts or {}).items():
            self.line(order, which).discount += Decimal(amount)
        if shipping:
            order.shipping_title = order.shipping_title or "Added"
            order.shipping_price += Decimal(shipping)
        order.edited = True
        self.tell("orders/edited", order, additions=additions, removals=removals)
        return self.changed(order)

    @locked
    def cancel(
        self, which: Order | str, *, restock: bool = True, refund: bool = True, reason: str = "CUSTOMER"
    ) -> Order:
        """Not possible once something was sent. Without restock the units are gone from the shelf as well."""
        order = self.order(which)
        if any(fulfillment.status == "SUCCESS" for fulfillment in order.fulfillments):
            raise ValueError("Cannot cancel an order that has outstanding fulfillments")
        if order.cancelled_at:
            raise ValueError("Cannot cancel an order that has already been canceled")
        now = self.now()
        money = order.received - refunded(order) if refund else ZERO
        made = Refund(self.gid("Refund"), now, money, shipping=totals(order).shipping)
        for line in order.lines:
            if units := line.current_quantity:
                location = self.withdraw(order, line, units, restock=restock)
                kind = "CANCEL" if restock else "NO_RESTOCK"
                made.lines.append(RefundLine(self.gid("RefundLineItem"), line.gid, units, kind, location))
                line.removed += units
        order.refunds.append(made)
        for fulfillment_order in order.fulfillment_orders:
            fulfillment_order.is_cancelled = True
        order.cancelled_at = order.closed_at = now
        order.cancel_reason = reason
        order.duties = ZERO
        self.tell("refunds/create", made, order=order)
        return self.changed(order, "orders/cancelled")

    @locked
    def archive(self, which: Order | str, *, archived: bool = True) -> Order:
        """Put away (closed) or taken out again; nothing else changes."""
        order = self.order(which)
        order.closed_at = self.now() if archived else None
        return self.changed(order)

    @locked
    def annotate(self, which: Order | str, note: str) -> Order:
        """Another note: a change that changes nothing else."""
        order = self.order(which)
        order.note = note
        return self.changed(order)

    @locked
    def delete_order(self, which: Order | str, *, restock: bool = False) -> None:
        """Gone for good. What it had committed leaves the shelf too, unless it is restocked."""
        order = self.order(which)
        for line in order.lines:
            self.withdraw(order, line, line.unfulfilled_quantity, restock=restock)
        del self.book.orders[order.gid]
        self.tell("orders/delete", order)

    @locked
    def settle(self) -> None:
        """Tell the routing of orders whose time for it has come. Called before every look at the shop."""
        now = self.clock()
        for order in [each for each in self._unrouted if each.routed_at <= now]:
            self._unrouted.remove(order)
            if not order.is_routed and order.gid in self.book.orders:
                order.is_routed = True
                self.changed(order)

    def index(self) -> None:
        super().index()
        self._unrouted = [order for order in self.book.orders.values() if not order.is_routed]

    def _name_customer(self, order: Order, name: str, company: str) -> None:
        if order.email or name:
            known = [each for each in self.book.customers.values() if each.email and each.email == order.email]
            customer = known[0] if known else Customer(self.gid("Customer"), name or order.email, order.email)
            customer.phone = order.phone or customer.phone
            self.book.customers[customer.gid] = customer
            order.customer_gid = customer.gid
        if company:
            same = [each for each in self.book.companies.values() if each.name == company]
            firm = same[0] if same else Company(self.gid("Company"), company)
            self.book.companies[firm.gid] = firm
            order.company_gid = firm.gid

    def _address(self, values: Mapping[str, str] | None, name: str, company: str) -> Address | None:
        if values is None:
            return None
        return Address(self.gid("MailingAddress"), **{"name": name, "company": company, **values})
