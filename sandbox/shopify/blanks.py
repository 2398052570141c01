"""Keys that deliveries have and that a sandbox has nothing to put into: there, and null, as in a real one."""

from __future__ import annotations

ORDER = (
    *("browser_ip", "buyer_accepts_marketing", "cart_token", "checkout_token", "client_details", "confirmation_number"),
    *("customer_locale", "device_id", "landing_site", "landing_site_ref", "merchant_business_entity_id"),
    *("merchant_of_record_app_id", "original_total_additional_fees_set", "original_total_duties_set", "payment_terms"),
    *("reference", "referring_site", "source_identifier", "source_url", "token"),
)
LINE = ("sales_line_item_group_id",)
SHIPPING_LINE = ("carrier_identifier", "phone", "requested_fulfillment_service_id")
CUSTOMER = ("created_at", "default_address", "multipass_identifier", "note", "state", "updated_at")
ADDRESS = ("country_code", "latitude", "longitude", "province_code")
FULFILLMENT = ("origin_address", "shipment_status")
PRODUCT = ("body_html", "category", "image", "product_type", "published_at", "published_scope", "template_suffix")
VARIANT = ("barcode", "compare_at_price", "image_id", "option1", "option2", "option3")
ITEM = ("country_code_of_origin", "harmonized_system_code", "province_code_of_origin", "weight_unit", "weight_value")
LOCATION = (
    *("address1", "address2", "city", "country", "country_code", "country_name", "phone", "province"),
    *("province_code", "zip"),
)


def blank(keys: tuple[str, ...]) -> dict[str, None]:
    return dict.fromkeys(keys)
