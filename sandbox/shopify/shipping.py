"""What leaves and what comes back: fulfillments, their tracking, refunds."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from sandbox.shopify.catalogue import Amount, Catalogue
from sandbox.shopify.money import fulfillment_status, refunded, rounded, totals
from sandbox.shopify.records import locked
from sandbox.shopify.state import ZERO, Fulfillment, FulfillmentOrder, Line, Location, Order, Refund, RefundLine

#: Line, its gid or its SKU → units.
Units = Mapping[Line, int] | Mapping[str, int]


class Shipping(Catalogue):
    @locked
    def fulfil(
        self,
        which: Order | str,
        units: Units | None = None,
        *,
        location: Location | str | None = None,
        company: str = "",
        number: str = "",
        url: str = "",
    ) -> list[Fulfillment]:
        """Send units (all that remain if not given), from where they are assigned or from the location given.

        One fulfillment for each location. company, number, url: of the parcel's tracking.
        """
        order = self.order(which)
        if order.cancelled_at:
            raise ValueError("A canceled order cannot be fulfilled.")
        wanted = self._to_send(order, units)
        place = self.location(location).gid if location else ""
        sent: dict[str, Fulfillment] = {}
        for assigned in order.fulfillment_orders:
            for line, count in wanted.items():
                if part := min(count, assigned.remaining.get(line.gid, 0)):
                    wanted[line] -= part
                    fulfillment = self._fulfillment(order, sent, place or assigned.location_gid)
                    self._send(order, assigned, fulfillment, line, part)
        for fulfillment in sent.values():
            fulfillment.tracking_company, fulfillment.tracking_number = company, number
            fulfillment.tracking_url = url
            order.fulfillments.append(fulfillment)
            self.tell("fulfillments/create", fulfillment, order=order)
        done = fulfillment_status(order) == "FULFILLED"
        self.changed(order, "orders/fulfilled" if done else "orders/partially_fulfilled")
        return list(sent.values())

    @locked
    def track(self, fulfillment: Fulfillment, *, company: str = "", number: str = "", url: str = "") -> None:
        """Change the tracking of a parcel."""
        order = self._order_of(fulfillment)
        fulfillment.tracking_company, fulfillment.tracking_number = company, number
        fulfillment.tracking_url = url
        fulfillment.updated_at = self.now()
        self.tell("fulfillments/update", fulfillment, order=order)
        self.changed(order)

    @locked
    def cancel_fulfillment(self, fulfillment: Fulfillment) -> None:
        """It was not sent after all: the units are back on the shelf, committed to the order."""
        order = self._order_of(fulfillment)
        if fulfillment.status == "CANCELLED":
            raise ValueError("The fulfillment is canceled already.")
        fulfillment.status = "CANCELLED"
        fulfillment.updated_at = self.now()
        for gid, units in fulfillment.quantities.items():
            order.line(gid).fulfilled -= units
            if item := fulfillment.item_gids.get(gid):
                self.change(item, fulfillment.location_gid, committed=units)
        back = dict(fulfillment.quantities)
        order.fulfillment_orders.append(
            FulfillmentOrder(
                self.gid("FulfillmentOrder"), fulfillment.location_gid, back, dict(back), dict(fulfillment.item_gids)
            )
        )
        self.tell("fulfillments/update", fulfillment, order=order)
        self.changed(order)

    @locked
    def refund(
        self,
        which: Order | str,
        units: Units | None = None,
        *,
        restock: str = "",
        location: Location | str | None = None,
        amount: Amount | None = None,
        shipping: Amount = ZERO,
        note: str = "",
    ) -> Refund:
        """Give money back, for units or (without any) out of goodwill.

        restock: CANCEL takes units that were not sent out of the order, RETURN puts sent ones on the shelf of
        `location` (where they were sent from if not given), NO_RESTOCK neither. Not given: CANCEL while there are
        units that were not sent, then RETURN. amount: what the units cost plus shipping if not given.
        """
        order = self.order(which)
        before = totals(order).total
        made = Refund(self.gid("Refund"), self.now(), ZERO, shipping=Decimal(shipping), note=note)
        place = self.location(location).gid if location else ""
        parts = {line: self._taken_back(line, count, restock) for line, count in self.units(order, units or {}).items()}
        for line, (unsent, sent) in parts.items():
            for count, is_return in ((unsent, False), (sent, True)):
                if count:
                    made.lines.append(self._refund_line(order, line, count, restock != "NO_RESTOCK", is_return, place))
        order.refunds.append(made)
        cost = before - totals(order).total
        made.amount = min(cost, order.received - refunded(order)) if amount is None else Decimal(amount)
        self.tell("refunds/create", made, order=order)
        self.changed(order)
        return made

    def changed(self, order: Order, *topics: str) -> Order:
        """Whatever happens to an order also is an update."""
        order.updated_at = self.now()
        for topic in (*topics, "orders/updated"):
            self.tell(topic, order)
        return order

    def units(self, order: Order, units: Units) -> dict[Line, int]:
        """The lines that are meant; a SKU means the first of its lines that is still wanted. KeyError: none."""
        return {self.line(order, which): count for which, count in units.items()}

    def line(self, order: Order, which: Line | str) -> Line:
        lines = [line for line in order.lines if which in (line, line.gid, line.sku or line.gid)]
        if not lines:
            raise KeyError(which)
        return next((line for line in lines if line.current_quantity), lines[0])

    def withdraw(self, order: Order, line: Line, units: int, *, restock: bool) -> str:
        """Units are no longer to be sent; returns the gid of the location that was to send the last of them."""
        location = ""
        for fulfillment_order in order.fulfillment_orders:
            part = min(units, fulfillment_order.remaining.get(line.gid, 0))
            if part:
                fulfillment_order.remaining[line.gid] -= part
                units -= part
                location = fulfillment_order.location_gid
                if item := fulfillment_order.item_gids.get(line.gid):
                    self.change(item, location, committed=-part, available=part if restock else 0)
        return location

    def assign(self, order: Order, quantities: dict[Line, int], place: Location | None) -> None:
        """Commit units to locations. SoldOut changes nothing."""
        wanted = {line.gid: (self.book.variants.get(line.variant_gid), units) for line, units in quantities.items()}
        if not wanted:
            return
        plan = {place.gid: {gid: units for gid, (_, units) in wanted.items()}} if place else self.route(wanted)
        for location, units in plan.items():
            items = {gid: variant.item_gid for gid in units if (variant := wanted[gid][0])}
            gid = self.gid("FulfillmentOrder")
            order.fulfillment_orders.append(FulfillmentOrder(gid, location, dict(units), dict(units), items))
            for line, item in items.items():
                self.change(item, location, available=-units[line], committed=units[line])

    def _to_send(self, order: Order, units: Units | None) -> dict[Line, int]:
        if units is None:
            wanted = {line: line.unfulfilled_quantity for line in order.lines}
        else:
            wanted = self.units(order, units)
        for line, count in wanted.items():
            if count > line.unfulfilled_quantity:
                raise ValueError("Invalid fulfillment order line item quantity requested.")
        if not any(wanted.values()):
            raise ValueError("There is nothing to send.")
        return wanted

    def _fulfillment(self, order: Order, sent: dict[str, Fulfillment], location: str) -> Fulfillment:
        if location not in sent:
            name = f"{order.name}-F{len(order.fulfillments) + len(sent) + 1}"
            now = self.now()
            sent[location] = Fulfillment(self.gid("Fulfillment"), name, location, now, now, {})
        return sent[location]

    def _send(self, order: Order, assigned: FulfillmentOrder, fulfillment: Fulfillment, line: Line, units: int) -> None:
        assigned.remaining[line.gid] -= units
        line.fulfilled += units
        fulfillment.quantities[line.gid] = fulfillment.quantities.get(line.gid, 0) + units
        if item := assigned.item_gids.get(line.gid):
            fulfillment.item_gids[line.gid] = item
            moved = fulfillment.location_gid != assigned.location_gid
            self.change(item, assigned.location_gid, committed=-units, available=units if moved else 0)
            if moved:
                self.change(item, fulfillment.location_gid, available=-units)

    def _taken_back(self, line: Line, units: int, restock: str) -> tuple[int, int]:
        """How many of the units were not sent, and how many were. ValueError: that cannot be."""
        if restock not in ("", "CANCEL", "RETURN", "NO_RESTOCK"):
            raise ValueError(f"There is no restock type {restock}.")
        if not 0 < units <= line.current_quantity:
            raise ValueError(f"Only {line.current_quantity} of {line.title} can be refunded.")
        unsent = min(units, line.unfulfilled_quantity) if restock != "RETURN" else 0
        sent = 0 if line.is_tip else units - unsent
        if sent > line.fulfilled - line.returned or (restock == "CANCEL" and sent):
            raise ValueError(f"{units} of {line.title} cannot be refunded as {restock}.")
        return units - sent, sent

    def _refund_line(
        self, order: Order, line: Line, units: int, restocked: bool, is_return: bool, place: str
    ) -> RefundLine:
        cost = rounded((line.price - line.discount / line.quantity) * units, order.currency)
        kind = ("RETURN" if is_return else "CANCEL") if restocked else "NO_RESTOCK"
        if is_return:
            line.returned += units
            came_from = [each for each in order.fulfillments if line.gid in each.quantities]
            place = place or came_from[-1].location_gid
            item = came_from[-1].item_gids.get(line.gid)
            if restocked and item:
                self.change(item, place, available=units)
        else:
            place = self.withdraw(order, line, units, restock=restocked)
        line.removed += units
        return RefundLine(self.gid("RefundLineItem"), line.gid, units, kind, place if restocked else "", cost)

    def _order_of(self, fulfillment: Fulfillment) -> Order:
        return next(order for order in self.book.orders.values() if fulfillment in order.fulfillments)
