"""What people may ask of a shop about themselves, and the shop of its apps.

https://shopify.dev/docs/apps/build/compliance/privacy-law-compliance
"""

from __future__ import annotations

from sandbox.shopify.app import App
from sandbox.shopify.records import locked
from sandbox.shopify.state import Customer, Order


class People(App):
    @locked
    def customer(self, which: Customer | str) -> Customer:
        """By itself, gid or e-mail. KeyError: none."""
        if isinstance(which, Customer):
            return which
        for customer in self.book.customers.values():
            if which in (customer.gid, customer.email):
                return customer
        raise KeyError(which)

    @locked
    def request_data(self, which: Customer | str) -> None:
        """A customer asks what is known of them: apps are told to hand it to the merchant."""
        customer = self.customer(which)
        self.tell("customers/data_request", customer, orders=self._orders_of(customer), request=self._request())

    @locked
    def redact_customer(self, which: Customer | str) -> None:
        """A customer is forgotten here, and apps are told to forget them too."""
        customer = self.customer(which)
        orders = self._orders_of(customer)
        self.tell("customers/redact", customer, orders=orders)
        customer.name = customer.email = customer.phone = ""
        for order in orders:
            order.email = order.phone = order.note = ""
            order.billing_address = order.shipping_address = None
            order.updated_at = self.now()

    @locked
    def redact_shop(self) -> None:
        """Two days after the app was removed: it is told to forget everybody of this shop."""
        self.tell("shop/redact", self.profile)

    def _orders_of(self, customer: Customer) -> list[Order]:
        return [order for order in self.book.orders.values() if order.customer_gid == customer.gid]

    def _request(self) -> int:
        self.book.next_number += 1
        return self.book.next_number
