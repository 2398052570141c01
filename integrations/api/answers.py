"""What is in an answer. Only for the OpenAPI document: answers are made by `shapes`, and tests compare the two."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

Decimal = Annotated[str, Field(pattern=r"^-?[0-9]+(\.[0-9]+)?$", description="A decimal number as text.")]
Date = Annotated[str, Field(json_schema_extra={"format": "date"})]
Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Id = Annotated[str, Field(pattern="^[0-9]+$")]


class Answer(BaseModel):
    success: Literal[True]
    warnings: list[str] | None = Field(None, description="Fields of the request that are not known, and were ignored.")


class Failure(BaseModel):
    success: Literal[False]
    error: str = Field(description="A sentence that says what is wrong; of a field, with its name.")


class Conflict(Failure):
    order_id: int | None = Field(None, description="The sale that has this number.")


class ServerFailure(Failure):
    request_id: str | None = Field(None, description="Where the server's log has more.")


#: Code → what comes with it, of every call.
ERRORS: dict[int, Any] = {
    400: Failure,
    401: Failure,
    404: Failure,
    405: Failure,
    408: Failure,
    409: Conflict,
    413: Failure,
    415: Failure,
    429: Failure,
    500: ServerFailure,
}


class Customer(BaseModel):
    id: int
    name: str
    email: str
    phone: str
    address_legal: str
    address_real: str
    agreement: str
    manager_name: str
    manager_post: str
    notes: str
    created_at: Moment
    updated_at: Moment


class CustomerMade(Answer):
    customer_id: int


class CustomerEntry(Answer):
    customer: Customer


class CustomerList(Answer):
    customers: list[Customer]
    total: int


class SoldProduct(BaseModel):
    id: Id
    product_id: Id
    sku: str
    name: str
    amount: Decimal
    unit: str
    total: Decimal
    price: Decimal
    cost: Decimal
    position: Id


class ShippedLine(BaseModel):
    line_id: Id
    amount: Decimal


class Shipment(BaseModel):
    id: Id
    shipped_at: Moment
    is_return: bool
    storage_id: Id | None
    carrier: str
    tracking_number: str
    tracking_url: str
    lines: list[ShippedLine]


class Sale(BaseModel):
    id: Id
    num: str
    status: Literal["0", "1", "3", "4"]
    payment: Literal["0", "1", "2"]
    date_placed: Date
    date_shipped: Date | None
    subtotal: Decimal
    delivery_price: Decimal
    discount: Decimal
    total: Decimal
    cost: Decimal
    notes: str
    amount: Decimal
    lines: Id
    source: str
    production: Literal["0", "1"]
    production_num: str | None
    customer_id: Id
    customer_name: str
    customer_email: str
    customer_phone: str
    customer_address_real: str
    customer_address_legal: str
    customer_agreement: str
    customer_manager_name: str
    customer_manager_post: str
    customer_notes: str
    storage_id: Id
    storage_name: str
    tax: Decimal
    other_charges: Decimal
    currency: str
    created_at: Moment
    updated_at: Moment


class WholeSale(Sale):
    products: list[SoldProduct]
    shipments: list[Shipment]


class SaleMade(Answer):
    order_id: int
    customer_id: int
    skipped: list[str] | None = Field(None, description="SKUs that are not known here.")


class SaleEdited(Answer):
    skipped: list[str] | None = Field(None, description="SKUs that are not known here.")


class SaleEntry(Answer):
    order: WholeSale


class SaleList(Answer):
    orders: list[Sale]
    total: int


class SalesFound(Answer):
    orders: list[WholeSale]


class Product(BaseModel):
    id: int
    name: str
    sku: str
    alternative_skus: list[str]
    unit: str
    price: Decimal
    cost: Decimal
    batch_size: Decimal
    stock: Decimal
    reserved: Decimal
    available: Decimal
    minimum: Decimal
    notes: str
    updated_at: Moment


class ProductMade(Answer):
    product_id: int


class ProductEntry(Answer):
    product: Product


class ProductList(Answer):
    products: list[Product]
    total: int


class StoredCount(BaseModel):
    success: bool
    product_id: int | None = None
    storage_id: int | None = None
    stock: Decimal | None = None
    error: str | None = None


class StoredCounts(Answer):
    rows: list[StoredCount]
    failed: int


class Storage(BaseModel):
    id: int
    name: str
    is_default: bool


class StorageList(Answer):
    storages: list[Storage]
