"""A shop's order as the sale that it should be here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from integrations.models import Connection, CustomerLink, LocationMapping, OrderLink
from integrations.products import Matched
from integrations.remote import RemoteCustomer, RemoteLine, RemoteOrder, RemoteShipment
from sales import buyers, customers
from sales.buyers import Buyer
from sales.models import Order
from sales.money import round_money
from sales.orders import LineDraft, OrderDraft, ShipmentDraft

NO_CUSTOMER = "Shopify Customer"
CANCELED, SHIPPED, NEW = Order.Status.CANCELED, Order.Status.SHIPPED, Order.Status.NEW


@dataclass(frozen=True, slots=True)
class Drafted:
    draft: OrderDraft
    #: What the merchant should look at, as sentences. They are among the draft's remarks.
    warnings: list[str]
    #: What to remember of the customer, beside what `ownership` does of the rest.
    known_customer: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Places:
    """The storages of a connection's locations, by the location's id."""

    storages: Mapping[str, int]
    names: Mapping[str, str]
    default: int

    def of(self, location_id: str) -> int:
        return self.storages.get(location_id, self.default)


@dataclass(frozen=True, slots=True)
class Shared:
    """What the drafts of several orders have in common."""

    places: _Places
    #: Who bought → our customer's id.
    customers: Mapping[RemoteCustomer | None, int]


def share(connection: Connection, remotes: Iterable[RemoteOrder]) -> Shared:
    """Where these orders, all of them new, go by, and who bought; customers are made where they are missing."""
    who = dict.fromkeys(remote.customer for remote in remotes)  # in their order: the first gives a new one its name
    return Shared(_places(connection), _customers(connection, list(who)))


def draft(
    connection: Connection,
    link: OrderLink,
    remote: RemoteOrder,
    matched: Mapping[str, Matched],
    shared: Shared | None = None,
) -> Drafted:
    """`matched`: line's id → product, of what becomes a line. `link`: with its sale, if there is one already."""
    order, last = link.order, link.imported or {}
    is_named = order is None or _is_another_customer(order, remote.customer, last)
    shared = shared or share(connection, [remote] if is_named else [])
    customer_id = shared.customers[remote.customer] if order is None or is_named else order.customer_id
    places = shared.places
    storage_id = places.storages.get(remote.location_id) or last.get("storage_id")
    storage_id = storage_id or (order.storage_id if order else places.default)
    lines = [
        _line(line, matched[line.external_id], places, storage_id)
        for line in remote.lines
        if line.external_id in matched
    ]
    other, remarks = _other_charges(remote, matched, sum((line.total for line in lines), Decimal(0)))
    shipped = [shipment.at for shipment in remote.shipments if not shipment.is_return]
    zone = ZoneInfo(connection.timezone)
    reported = [one for one in remote.shipments if any(key in matched for key in one.lines)]
    warnings = [*remote.warnings, *_unmapped(reported, places)]
    made = OrderDraft(
        number=connection.prefix + remote.number,
        customer_id=customer_id,
        storage_id=storage_id,
        date_placed=remote.placed_at.astimezone(zone).date(),
        date_shipped=max(shipped).astimezone(zone).date() if shipped else None,
        currency=remote.currency if len(remote.currency) == 3 else connection.currency,
        lines=lines,
        fulfilment=order.fulfilment if order else _fulfilment(connection, remote),
        source=remote.source,
        status=CANCELED if remote.is_canceled else SHIPPED if remote.is_fulfilled else NEW,
        payment=remote.payment,
        delivery_price=remote.delivery_price,
        discount=remote.discount,
        tax=remote.tax,
        other_charges=other,
        delivery_address=(remote.customer and remote.customer.address_real) or None,
        notes=remote.notes,
        remarks="\n".join([*remarks, *remote.remarks, *warnings]),
        shipments=[_shipment(one, places, matched) for one in reported],
        stock_since=connection.stock_since,
    )
    return Drafted(made, warnings, _known_customer(customer_id, is_named, remote.customer, last))


def is_history(connection: Connection, remote: RemoteOrder) -> bool:
    """Whether everything of it had left before this connection's stock was counted: it moves nothing any more."""
    since, left = connection.stock_since, [one.at for one in remote.shipments]
    return remote.is_fulfilled and since is not None and bool(left) and max(left) < since


def _fulfilment(connection: Connection, remote: RemoteOrder) -> str:
    """Nothing is made any more of what has left long ago."""
    return Order.Fulfilment.INVENTORY if is_history(connection, remote) else connection.fulfilment


def _places(connection: Connection) -> _Places:
    rows = LocationMapping.objects.filter(connection=connection).values_list("external_id", "name", "storage_id")
    default = connection.default_storage_id
    assert default is not None  # an active connection has one: a constraint of the database
    return _Places(
        {external_id: storage_id for external_id, _, storage_id in rows if storage_id},
        {external_id: name for external_id, name, _ in rows},
        default,
    )


def _unmapped(reported: list[RemoteShipment], places: _Places) -> list[str]:
    """Of goods that left, or came back to, a location that is no storage of ours."""
    known = {"", *places.storages}
    ids = dict.fromkeys(one.location_id for one in reported if one.location_id not in known)
    return [
        f"“{places.names.get(each, each)}” is not mapped to a storage: its shipments go by the default storage."
        for each in ids
    ]


def _line(line: RemoteLine, match: Matched, places: _Places, storage_id: int) -> LineDraft:
    """`storage_id`: the sale's own."""
    parts: dict[int, Decimal] = defaultdict(Decimal)
    for location_id, units in line.routed.items():
        parts[places.storages.get(location_id, storage_id)] += units
    parts.pop(storage_id, None)
    return LineDraft(
        key=line.external_id,
        sku=line.sku[:255],
        name=match.name,
        product_id=match.product_id,
        quantity=line.quantity,
        total=line.unit_price * line.quantity,
        places=parts,
    )


def _shipment(shipment: RemoteShipment, places: _Places, matched: Mapping[str, Matched]) -> ShipmentDraft:
    put_back = not shipment.is_return or shipment.is_restocked
    return ShipmentDraft(
        key=shipment.external_id,
        storage_id=places.of(shipment.location_id) if put_back else None,
        shipped_at=shipment.at,
        lines={key: quantity for key, quantity in shipment.lines.items() if key in matched and quantity},
        is_return=shipment.is_return,
        carrier=shipment.carrier,
        tracking_number=shipment.tracking_number,
        tracking_url=shipment.tracking_url,
    )


def _other_charges(remote: RemoteOrder, matched: Mapping[str, Matched], subtotal: Decimal) -> tuple[Decimal, list[str]]:
    """What the shop's total holds that no line here does, and sentences that explain it to the last cent."""
    other = remote.total - (subtotal + remote.delivery_price + remote.tax - remote.discount)
    remarks = ["A test order of the shop."] if remote.is_test else []
    rest = other
    for line in remote.lines:
        if line.external_id not in matched and line.quantity:
            amount = line.unit_price * line.quantity
            rest -= amount
            remarks.append(f"{_named(line)}, {_money(amount, remote)}.")
    for name, amount in remote.charges:
        if amount:
            rest -= amount
            remarks.append(f"{name}: {_money(amount, remote)}.")
    if rest:
        remarks.append(f"Rounding and other differences: {_money(rest, remote)}.")
    return other, remarks


def _named(line: RemoteLine) -> str:
    units = f"{line.quantity.normalize():f} × {line.title}"
    return f"Not matched: {units} (SKU {line.sku or 'none'})" if line.is_goods else f"Without stock: {units}"


def _money(amount: Decimal, remote: RemoteOrder) -> str:
    return f"{round_money(amount, remote.currency):f} {remote.currency}"


def _is_another_customer(order: Order, remote: RemoteCustomer | None, last: Mapping[str, Any]) -> bool:
    """Whether the shop names another, as it does once the app may see customers, and the merchant chose none since."""
    return _who(remote) not in ("", last.get("customer", _who(remote))) and order.customer_id == last["customer_id"]


def _known_customer(customer_id: int, is_named: bool, remote: RemoteCustomer | None, last: Mapping[str, Any]) -> Any:
    """What to remember of the customer: who it is to the shop, and who that was here when the shop named them."""
    return {
        "customer": _who(remote) or last.get("customer", ""),
        "customer_id": customer_id if is_named else last.get("customer_id", customer_id),
    }


def _who(remote: RemoteCustomer | None) -> str:
    return (remote.external_id or remote.email or remote.name) if remote else ""


def _customers(connection: Connection, who: Sequence[RemoteCustomer | None]) -> dict[RemoteCustomer | None, int]:
    """Our customer's id of each: by link, then by e-mail; without any data everybody is one customer."""
    named = [remote.external_id for remote in who if remote and remote.external_id]
    links = {
        link.external_id: link.customer
        for link in connection.customer_links.filter(external_id__in=named).select_related("customer")
    }
    # Of several with one id the first is looked for, and the others are the same.
    fresh: dict[str, RemoteCustomer] = {}
    sought: list[RemoteCustomer | None] = []
    for remote in who:
        external_id = remote.external_id if remote else ""
        if external_id and remote and external_id not in links:
            fresh.setdefault(external_id, remote)
        if not external_id or fresh.get(external_id) is remote:
            sought.append(remote)
    found = dict(zip(sought, buyers.find_or_create([_buyer(remote) for remote in sought]), strict=True))
    made = [
        CustomerLink(connection=connection, customer=found[remote], external_id=external_id)
        for external_id, remote in fresh.items()
    ]
    CustomerLink.objects.bulk_create(made, ignore_conflicts=True)
    links |= {row.external_id: row.customer for row in made}
    for remote in who:
        if remote not in found:
            assert remote is not None
            found[remote] = links[remote.external_id]
            one = _buyer(remote)
            customers.fill(found[remote], email=one.email, **one.fields)
    return {remote: customer.pk for remote, customer in found.items()}


def _buyer(remote: RemoteCustomer | None) -> Buyer:
    if remote is None:
        return Buyer(NO_CUSTOMER)
    fields = {
        "phone": remote.phone,
        "address_real": remote.address_real,
        "address_legal": remote.address_legal,
        "manager_name": remote.contact,
    }
    return Buyer(remote.name or remote.email or NO_CUSTOMER, remote.email, fields)
