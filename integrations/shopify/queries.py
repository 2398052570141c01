"""Every document that we send to Shopify, and the API version they are written for.

The version is one of Shopify's quarterly ones; a retired one is not refused but silently answered by a newer.
Each document is named: logs, errors and the sandbox go by the name. The tests validate all of them.
"""

from __future__ import annotations

from datetime import date

API_VERSION = "2026-10"
#: Shopify supports each version for a year.
API_VERSION_ENDS = date(2027, 10, 16)
#: Shopify's limit for a page, and for every list that a mutation takes.
PAGE = 250

CHECK = """
query StockbridgeCheck {
  shop { id name myshopifyDomain currencyCode ianaTimezone }
  currentAppInstallation { id accessScopes { handle } }
}
"""

LOCATIONS = """
query StockbridgeLocations($first: Int!, $after: String) {
  locations(first: $first, after: $after, includeInactive: true, includeLegacy: true, sortKey: ID) {
    nodes { id name isActive }
    pageInfo { hasNextPage endCursor }
  }
}
"""

_VARIANT = """
fragment Variant on ProductVariant {
  id
  sku
  displayName
  price
  requiresComponents
  product { id }
  inventoryItem { id tracked }
}
"""

VARIANTS = (
    """
query StockbridgeVariants($first: Int!, $after: String, $query: String) {
  productVariants(first: $first, after: $after, query: $query, sortKey: ID) {
    nodes { ...Variant }
    pageInfo { hasNextPage endCursor }
  }
}
"""
    + _VARIANT
)

VARIANTS_BY_ID = (
    """
query StockbridgeVariantsById($ids: [ID!]!) {
  nodes(ids: $ids) { id ...Variant }
}
"""
    + _VARIANT
)

ORDERS = """
query StockbridgeOrders($first: Int!, $after: String, $query: String!) {
  orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {
    nodes { id updatedAt }
    pageInfo { hasNextPage endCursor }
  }
}
"""

_MONEY = "shopMoney { amount currencyCode }"

_LINE_FIELDS = f"""
  id
  title
  variantTitle
  sku
  quantity
  currentQuantity
  unfulfilledQuantity
  isGiftCard
  variant {{ id }}
  originalUnitPriceSet {{ {_MONEY} }}
"""
_LINE = f"fragment Line on LineItem {{{_LINE_FIELDS}}}\n"

_FACT_FIELDS = f"""
  id
  name
  poNumber
  sourceName
  tags
  retailLocation {{ id }}
  test
  createdAt
  processedAt
  updatedAt
  cancelledAt
  note
  currencyCode
  presentmentCurrencyCode
  taxesIncluded
  displayFinancialStatus
  displayFulfillmentStatus
  currentTotalPriceSet {{ {_MONEY} presentmentMoney {{ amount currencyCode }} }}
  currentSubtotalPriceSet {{ {_MONEY} }}
  currentTotalTaxSet {{ {_MONEY} }}
  currentShippingPriceSet {{ {_MONEY} }}
  currentTotalDutiesSet {{ {_MONEY} }}
  currentTotalAdditionalFeesSet {{ {_MONEY} }}
  totalTipReceivedSet {{ {_MONEY} }}
  totalCashRoundingAdjustment {{ paymentSet {{ {_MONEY} }} }}
"""
_FACTS = f"fragment Facts on Order {{{_FACT_FIELDS}}}\n"

_ADDRESS = "{ name company address1 address2 city province zip country phone }"
_PEOPLE_FIELDS = f"""
  email
  phone
  customer {{
    id
    displayName
    defaultEmailAddress {{ emailAddress }}
    defaultPhoneNumber {{ phoneNumber }}
  }}
  billingAddress {_ADDRESS}
  shippingAddress {_ADDRESS}
  purchasingEntity {{
    __typename
    ... on PurchasingCompany {{ company {{ id name }} }}
  }}
"""
_PEOPLE = f"fragment People on Order {{{_PEOPLE_FIELDS}}}\n"

ORDER = (
    """
query StockbridgeOrder($id: ID!, $lines: Int!, $withCustomer: Boolean!, $withRouting: Boolean!) {
  order(id: $id) {
    ...Facts
    lineItems(first: $lines) {
      nodes { ...Line }
      pageInfo { hasNextPage endCursor }
    }
    fulfillments(first: 250) {
      id
      status
      createdAt
      location { id }
      trackingInfo(first: 10) { company number url }
      fulfillmentLineItems(first: 100) {
        nodes { quantity lineItem { id } }
        pageInfo { hasNextPage endCursor }
      }
    }
    fulfillmentOrders(first: 10, displayable: true) @include(if: $withRouting) {
      nodes { id status assignedLocation { location { id } } }
      pageInfo { hasNextPage endCursor }
    }
    refunds(first: 250) {
      id
      createdAt
      refundLineItems(first: 100) {
        nodes { quantity restockType location { id } lineItem { id } }
        pageInfo { hasNextPage endCursor }
      }
    }
    ...People @include(if: $withCustomer)
  }
}
"""
    + _FACTS
    + _LINE
    + _PEOPLE
)

ORDER_ABSENCE = """
query StockbridgeOrderAbsence($id: ID!) {
  order(id: $id) { id }
  currentAppInstallation { id accessScopes { handle } }
}
"""

ORDER_LINES = (
    """
query StockbridgeOrderLines($id: ID!, $first: Int!, $after: String) {
  order(id: $id) {
    id
    updatedAt
    lineItems(first: $first, after: $after) {
      nodes { ...Line }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""
    + _LINE
)

FULFILLMENT_LINES = """
query StockbridgeFulfillmentLines($id: ID!, $first: Int!, $after: String) {
  fulfillment(id: $id) {
    id
    fulfillmentLineItems(first: $first, after: $after) {
      nodes { quantity lineItem { id } }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""

ROUTING = """
query StockbridgeRouting($id: ID!, $first: Int!, $after: String) {
  order(id: $id) {
    id
    fulfillmentOrders(first: $first, after: $after, displayable: true) {
      nodes { id status assignedLocation { location { id } } }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""

ROUTED_LINES = """
query StockbridgeRoutedLines($id: ID!, $first: Int!, $after: String) {
  fulfillmentOrder(id: $id) {
    id
    lineItems(first: $first, after: $after) {
      nodes { remainingQuantity lineItem { id } }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""

REFUND_LINES = """
query StockbridgeRefundLines($id: ID!, $first: Int!, $after: String) {
  refund(id: $id) {
    id
    refundLineItems(first: $first, after: $after) {
      nodes { quantity restockType location { id } lineItem { id } }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""

LEVELS = """
query StockbridgeLevels($ids: [ID!]!, $locationId: ID!) {
  nodes(ids: $ids) {
    id
    ... on InventoryItem {
      tracked
      inventoryLevel(locationId: $locationId, includeInactive: true) {
        id
        isActive
        quantities(names: ["available", "on_hand"]) { name quantity }
      }
    }
  }
}
"""

#: Points of one call of SET_QUANTITIES, whatever it tells; points a second of the smallest plan, and the seconds of
#: them that a full bucket holds; seconds of a call, about.
SET_POINTS, RESTORE_RATE, FULL_S, CALL_S = 10, 100, 20, 0.3

SET_QUANTITIES = """
mutation StockbridgeSetQuantities($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id }
    userErrors { field message code }
  }
}
"""

#: Items that one call stocks: at eleven points each it leaves most of the shop's points to others.
ACTIVATIONS = 50


def activations(count: int) -> str:
    """Stock so many items, each at a location. Shopify has no mutation for several items at once."""
    numbers = range(count)
    given = ", ".join(f"$item{n}: ID!, $location{n}: ID!, $key{n}: String!" for n in numbers)
    fields = "".join(
        f"  at{n}: inventoryActivate(inventoryItemId: $item{n}, locationId: $location{n})\n"
        f"  @idempotent(key: $key{n}) {{\n"
        "    inventoryLevel { id }\n    userErrors { field message }\n  }\n"
        for n in numbers
    )
    return f"mutation StockbridgeActivate({given}) {{\n{fields}}}\n"


ACTIVATE = activations(1)

#: Run in bulk: no variables, no pages, `edges` instead of `nodes`.
BULK_LEVELS = """
query StockbridgeBulkLevels {
  inventoryItems {
    edges {
      node {
        id
        inventoryLevels(includeInactive: true) {
          edges {
            node {
              id
              isActive
              item { id tracked }
              location { id }
              quantities(names: ["available", "on_hand"]) { name quantity }
            }
          }
        }
      }
    }
  }
}
"""

_BULK_ROUTING = """
  fulfillmentOrders(displayable: true) {
    edges { node { id status assignedLocation { location { id } } } }
  }
"""


def bulk_orders(search: str = "", *, with_customer: bool = True, with_routing: bool = True) -> str:
    """Whole orders, but for the lines of shipments and refunds: no list may lie in a plain one there."""
    found = f'(query: "{search}")' if search else ""
    return f"""
query StockbridgeBulkOrders {{
  orders{found} {{
    edges {{
      node {{
        {_FACT_FIELDS}
        lineItems {{ edges {{ node {{ {_LINE_FIELDS} }} }} }}
        fulfillments(first: 250) {{
          id
          status
          createdAt
          location {{ id }}
          trackingInfo(first: 10) {{ company number url }}
        }}
        refunds(first: 250) {{ id }}
        {_BULK_ROUTING * with_routing}
        {_PEOPLE_FIELDS * with_customer}
      }}
    }}
  }}
}}
"""


BULK_ORDERS = bulk_orders()


def bulk_order_heads(search: str) -> str:
    """What tells whether an order here is the same."""
    return f"""
query StockbridgeBulkOrderHeads {{
  orders(query: "{search}") {{
    edges {{ node {{ id name updatedAt cancelledAt currentTotalPriceSet {{ {_MONEY} }} }} }}
  }}
}}
"""


BULK_ORDER_HEADS = bulk_order_heads("updated_at:>='2026-01-01T00:00:00Z'")

BULK_RUN = """
mutation StockbridgeBulkRun($query: String!, $grouped: Boolean!) {
  bulkOperationRunQuery(query: $query, groupObjects: $grouped) {
    bulkOperation { id status }
    userErrors { field message code }
  }
}
"""

BULK_STATUS = """
query StockbridgeBulkStatus($id: ID!) {
  bulkOperation(id: $id) { id status errorCode objectCount rootObjectCount url partialDataUrl }
}
"""

BULK_CANCEL = """
mutation StockbridgeBulkCancel($id: ID!) {
  bulkOperationCancel(id: $id) {
    bulkOperation { id status }
    userErrors { field message }
  }
}
"""

WEBHOOKS = """
query StockbridgeWebhooks($first: Int!, $after: String) {
  webhookSubscriptions(first: $first, after: $after) {
    nodes { id topic uri includeFields }
    pageInfo { hasNextPage endCursor }
  }
}
"""

WEBHOOK_CREATE = """
mutation StockbridgeWebhookCreate($topic: WebhookSubscriptionTopic!, $input: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $input) {
    webhookSubscription { id }
    userErrors { field message }
  }
}
"""

WEBHOOK_DELETE = """
mutation StockbridgeWebhookDelete($id: ID!) {
  webhookSubscriptionDelete(id: $id) {
    deletedWebhookSubscriptionId
    userErrors { field message }
  }
}
"""

#: Name → document, for the tests and for whoever cuts the sandbox's schema.
DOCUMENTS = {
    name: text
    for name, text in list(globals().items())
    if name.isupper() and isinstance(text, str) and "Stockbridge" in text
}
