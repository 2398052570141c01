"""Why a request is refused: a code, and one plain sentence."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import IntegrityError
from ninja.errors import ValidationError as BodyError

from catalog.models import Product, Storage
from sales.models import Customer, Order

logger = logging.getLogger(__name__)

UNAUTHORIZED = "Unauthorized - invalid API key"
_NOT_FOUND: dict[type[ObjectDoesNotExist], str] = {
    Customer.DoesNotExist: "Customer not found",
    Order.DoesNotExist: "Order not found",
    Product.DoesNotExist: "Product not found or access denied",
    Storage.DoesNotExist: "Storage not found",
}
#: Of a ValidationError: what was asked for is right in itself, but clashes with what is there.
_CONFLICTS = {"taken", "in_use"}
#: pydantic's names of what our own fields do not check.
_REASONS = {
    "missing": "is required",
    "list_type": "must be a list",
    "too_short": "must not be empty",
    "too_long": "has too many entries",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
}


class Refusal(Exception):
    """`extra`: fields of the answer beside the sentence."""

    def __init__(self, status: int, sentence: str, *, headers: dict[str, str] | None = None, **extra: Any) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.headers, self.extra = status, sentence, headers or {}, extra

    def payload(self) -> dict[str, Any]:
        return {"success": False, "error": self.sentence, **self.extra}


def because_of(error: Exception) -> Refusal:
    """What the client is told of an error. One that is nobody's fault but ours is logged, with an id to find it by."""
    match error:
        case Refusal():
            return error
        case BodyError():
            return Refusal(400, sentence(error.errors))
        case ValidationError():
            return Refusal(409 if _CONFLICTS & set(_codes(error)) else 400, " ".join(error.messages))
        case IntegrityError():
            return Refusal(409, "Something that the request names changed at the same moment. Try again.")
    for kind, not_found in _NOT_FOUND.items():
        if isinstance(error, kind):
            return Refusal(404, not_found)
    request_id = uuid.uuid4().hex[:12]
    logger.exception("Request %s", request_id, exc_info=error)
    return Refusal(500, f"Something went wrong here. Its log has more under {request_id}.", request_id=request_id)


def _codes(error: ValidationError) -> list[str]:
    return [each.code or "" for each in error.error_list] if hasattr(error, "error_list") else []


def sentence(errors: Sequence[dict[str, Any]], *, skip: int = 2) -> str:
    """Of the first five fields that are wrong. `skip`: parts of a location that no client knows of."""
    for each in errors:
        if each["type"] == "sentence":  # documented word by word
            return str(each["msg"])
    return " ".join(f"{_path(each['loc'][skip:]) or 'It'} {_reason(each)}." for each in errors[:5])


def _path(location: Sequence[str | int]) -> str:
    """("products", 0, "sku") → "products[0].sku"."""
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def _reason(error: dict[str, Any]) -> str:
    return str(error["msg"]) if error["type"] == "field" else _REASONS.get(error["type"], "is not valid")
