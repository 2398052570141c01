from __future__ import annotations

from ninja import Router

from integrations.api import answers, bodies, pages, shapes
from integrations.api.calls import Caller, Payload, call
from sales import customers
from sales.models import Customer

router = Router(tags=["customers"])


@call(router, "add", answers.CustomerMade, creates=True)
def add(caller: Caller, body: bodies.NewCustomer) -> Payload:
    """Make a customer, also when there is one of the same name."""
    return {"customer_id": Customer.objects.create(**body.model_dump()).pk}


@call(router, "edit")
def edit(caller: Caller, body: bodies.EditedCustomer) -> Payload:
    """Optional fields that are not given are emptied."""
    customers.edit(body.customer_id, now=caller.now, **body.model_dump(exclude={"customer_id"}))
    return {}


@call(router, "patch")
def patch(caller: Caller, body: bodies.PatchedCustomer) -> Payload:
    """Fields that are not given stay."""
    fields = body.model_dump(exclude={"customer_id"}, exclude_unset=True)
    if not fields.get("name"):
        fields.pop("name", None)
    customers.edit(body.customer_id, now=caller.now, **fields)
    return {}


@call(router, "delete")
def delete(caller: Caller, body: bodies.CustomerId) -> Payload:
    """A customer with sales cannot be deleted (409)."""
    customers.delete(body.customer_id)
    return {}


@call(router, "get_list", answers.CustomerList)
def get_list(caller: Caller, body: bodies.CustomerPage) -> Payload:
    """The oldest first. `search`: a part of the name, the e-mail or the phone."""
    rows = Customer.objects.order_by("pk")
    if body.search:
        rows = pages.search(rows, body.search, "name", "email", "phone")
    if body.updated_from:
        rows = rows.filter(updated_at__gte=body.updated_from)
    part = None if body.search or body.updated_from else "*"
    return pages.answer("customers", rows, body, rows.values(*shapes.CUSTOMER), _shown, part=part)


@call(router, "get_entry", answers.CustomerEntry)
def get_entry(caller: Caller, body: bodies.CustomerId) -> Payload:
    """With every field."""
    return {"customer": shapes.customer(Customer.objects.values(*shapes.CUSTOMER).get(pk=body.customer_id))}


def _shown(rows: list[Payload]) -> list[Payload]:
    return [shapes.customer(row) for row in rows]
