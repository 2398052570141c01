"""What may be in the request of each call. `model_fields_set` says what was there."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, PlainValidator, WithJsonSchema

from integrations.api import fields as f
from sales.models import Order

#: Rows of one `products/update_stock_many.php`.
MANY = 1000


class Empty(BaseModel):
    """Nothing has to be said."""


class Page(BaseModel):
    """Without a limit, everything."""

    limit: f.Limit = None
    offset: f.Offset = 0
    updated_from: f.OptionalMoment = None


# --- customers -------------------------------------------------------------------------------------------


class CustomerFields(BaseModel):
    email: f.Email = ""
    phone: f.Phone = ""
    address_legal: f.Text = ""
    address_real: f.Text = ""
    agreement: f.Line = ""
    manager_name: f.Line = ""
    manager_post: f.Line = ""
    notes: f.Text = ""


class NewCustomer(CustomerFields):
    name: f.Name


class CustomerId(BaseModel):
    customer_id: f.Id


class EditedCustomer(NewCustomer, CustomerId):
    pass


class PatchedCustomer(CustomerFields, CustomerId):
    name: f.OptionalName = None


class CustomerPage(Page):
    search: f.Line = ""


# --- sales -----------------------------------------------------------------------------------------------


class SaleLine(BaseModel):
    sku: f.RequiredCode
    amount: f.Quantity
    #: Price × quantity.
    total: f.Money


class SaleFields(BaseModel):
    customer_id: f.OptionalId = None
    customer_name: f.Line = ""
    customer_email: f.Email = ""
    customer_phone: f.Phone = ""
    customer_address_real: f.Text = ""
    customer_address_legal: f.Text = ""
    customer_agreement: f.Line = ""
    customer_manager_name: f.Line = ""
    customer_manager_post: f.Line = ""
    customer_notes: f.Text = ""
    storage_id: f.OptionalId = None
    date_placed: f.OptionalDay = None
    date_shipped: f.OptionalDay = None
    delivery_price: f.OptionalMoney = None
    discount: f.OptionalMoney = None
    production: f.OptionalFlag = None
    notes: f.Text = ""


class NewSale(SaleFields):
    num: f.Number
    products: Annotated[list[SaleLine], Field(min_length=1)]


class OrderId(BaseModel):
    order_id: f.Id


class EditedSale(NewSale, OrderId):
    pass


class PatchedSale(SaleFields, OrderId):
    num: f.OptionalNumber = None
    products: Annotated[list[SaleLine], Field(min_length=1)] | None = None


_STATUS = f.one_of(set(Order.Status.values), "Invalid status value")
_PAYMENT = f.one_of(set(Order.Payment.values), "Invalid status value")


class SaleStatus(OrderId):
    status: Annotated[int, PlainValidator(_STATUS), WithJsonSchema({"type": "integer", "enum": Order.Status.values})]
    date_shipped: f.OptionalDay = None


class SalePayment(OrderId):
    status: Annotated[int, PlainValidator(_PAYMENT), WithJsonSchema({"type": "integer", "enum": Order.Payment.values})]


class SalePage(Page):
    date_from: f.OptionalDay = None
    date_to: f.OptionalDay = None
    status: Annotated[
        int | None,
        PlainValidator(f.optional(_STATUS)),
        WithJsonSchema({"anyOf": [{"type": "integer", "enum": Order.Status.values}, {"type": "null"}]}),
    ] = None


class SaleNumber(BaseModel):
    #: The sale's number, with or without a connection's prefix, or the id of the shop's order.
    num: Annotated[
        str,
        PlainValidator(f.text(128, empty=False, numbers=True)),
        WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 128}),
    ]


# --- products --------------------------------------------------------------------------------------------


class ProductFields(BaseModel):
    sku: f.Code = ""
    price: f.OptionalMoney = None
    batch_size: f.OptionalQuantity = None
    stock: f.OptionalQuantity = None
    minimum: f.OptionalQuantity = None
    notes: f.Text = ""
    cost: f.OptionalMoney = None
    alternative_skus: Annotated[list[f.RequiredCode], Field(max_length=100)] | None = None


class NewProduct(ProductFields):
    name: f.Name
    unit: f.UnitCode
    storage_id: f.Id


class ProductId(BaseModel):
    product_id: f.Id


class EditedProduct(NewProduct, ProductId):
    pass


class PatchedProduct(ProductFields, ProductId):
    name: f.OptionalName = None
    unit: f.OptionalUnitCode = None
    storage_id: f.OptionalId = None


class ProductPlace(ProductId):
    storage_id: f.Id


class Counted(ProductPlace):
    stock: f.Quantity
    notes: f.Line = ""


class CountedRow(BaseModel):
    """A product by its id or by one of its SKUs; without a storage, the connection's."""

    product_id: f.OptionalId = None
    sku: f.Code = ""
    storage_id: f.OptionalId = None
    stock: f.Quantity
    notes: f.Line = ""


class CountedRows(BaseModel):
    #: Each is read by itself, so that one that is wrong does not hold up the others.
    rows: Annotated[
        list[object],
        Field(min_length=1, max_length=MANY),
        WithJsonSchema({"type": "array", "minItems": 1, "maxItems": MANY, "items": CountedRow.model_json_schema()}),
    ]


class ProductPage(Page):
    storage_id: f.Id
    search: f.Line = ""


class ProductCode(BaseModel):
    sku: f.RequiredCode
    storage_id: f.OptionalId = None
