"""The screens of selling."""

from sales.admin import customers, orders

__all__ = ["customers", "orders"]
