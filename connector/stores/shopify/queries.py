"""Every GraphQL operation that Waybill sends to Shopify's Admin API 2026-10.

Page sizes keep each operation's requested cost (a point for an object, times the page size for a list) below the
1,000 points that Shopify allows in one.
"""

from __future__ import annotations

from typing import Final

# --- the shop ---------------------------------------------------------------------------------------------------------

SHOP_FACTS: Final = """
query ShopFacts {
  shop { name myshopifyDomain currencyCode ianaTimezone plan { publicDisplayName } }
}
"""

LOCATIONS: Final = """
query Locations($after: String) {
  locations(first: 50, after: $after, includeInactive: true) {
    nodes {
      id name isActive
      address { address1 address2 city provinceCode province zip countryCode phone }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""

VARIANTS: Final = """
query Variants($ids: [ID!]!) {
  nodes(ids: $ids) {
    __typename
    ... on ProductVariant {
      id sku displayName
      inventoryItem { harmonizedSystemCode countryCodeOfOrigin measurement { weight { unit value } } }
    }
  }
}
"""

# With the first ten collections a page of 40 variants costs 600 points; with metafields one of 20 costs 800.
_VARIANT: Final = """
fragment VariantFacts on ProductVariant {
  id sku displayName barcode price
  inventoryItem {
    harmonizedSystemCode countryCodeOfOrigin requiresShipping
    unitCost { amount currencyCode }
    measurement { weight { unit value } }
  }
  product { id vendor tags collections(first: 10) { nodes { handle } } }
}
"""

PRODUCTS: Final = (
    """
query Products($after: String, $query: String) {
  productVariants(first: 40, after: $after, query: $query, sortKey: ID) {
    nodes { ...VariantFacts }
    pageInfo { hasNextPage endCursor }
  }
}
"""
    + _VARIANT
)

PRODUCTS_WITH_FIELDS: Final = (
    """
query ProductsWithFields($after: String, $query: String, $keys: [String!]!) {
  productVariants(first: 20, after: $after, query: $query, sortKey: ID) {
    nodes {
      ...VariantFacts
      metafields(first: 12, keys: $keys) { nodes { namespace key value } }
      product { metafields(first: 12, keys: $keys) { nodes { namespace key value } } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""
    + _VARIANT
)

# --- orders -----------------------------------------------------------------------------------------------------------

_LINES: Final = """
fragment GroupLines on FulfillmentOrderLineItemConnection {
  nodes {
    id remainingQuantity totalQuantity sku productTitle variantTitle requiresShipping
    weight { unit value }
    lineItem { currentQuantity priceAfterAllDiscountsBeforeTaxesSet { shopMoney { amount currencyCode } } }
    financialSummaries { quantity approximateDiscountedUnitPriceSet { shopMoney { amount currencyCode } } }
    variant { id inventoryItem { harmonizedSystemCode countryCodeOfOrigin } }
  }
  pageInfo { hasNextPage endCursor }
}
"""

_GROUP: Final = (
    """
fragment Group on FulfillmentOrder {
  id status
  supportedActions { action }
  fulfillmentHolds { reason handle heldByRequestingApp }
  deliveryMethod { methodType serviceCode presentedName }
  assignedLocation {
    name address1 address2 city province zip countryCode phone
    location { id address { provinceCode } }
  }
  destination { firstName lastName company address1 address2 city province zip countryCode phone email }
  internationalDuties { incoterm }
  lineItems(first: 10) { ...GroupLines }
}
"""
    + _LINES
)

ORDER: Final = (
    """
query OrderForShipping($id: ID!) {
  order(id: $id) {
    id name currencyCode displayFinancialStatus cancelledAt processedAt updatedAt test tags customerLocale
    email phone
    risk { recommendation }
    subtotalPriceSet { shopMoney { amount currencyCode } }
    shippingAddress {
      firstName lastName company address1 address2 city province provinceCode zip countryCode: countryCodeV2 phone
    }
    shippingLines(first: 10) {
      nodes {
        code title source
        originalPriceSet { shopMoney { amount currencyCode } }
        discountedPriceSet { shopMoney { amount currencyCode } }
      }
    }
    fulfillmentOrders(first: 4) {
      nodes { ...Group }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""
    + _GROUP
)

ORDER_GROUPS: Final = (
    """
query OrderGroups($id: ID!, $after: String) {
  order(id: $id) {
    fulfillmentOrders(first: 4, after: $after) {
      nodes { ...Group }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""
    + _GROUP
)

GROUP_LINES: Final = (
    """
query MoreGroupLines($id: ID!, $after: String) {
  fulfillmentOrder(id: $id) {
    lineItems(first: 50, after: $after) { ...GroupLines }
  }
}
"""
    + _LINES
)

ORDER_OF_GROUP: Final = """
query OrderOfGroup($id: ID!) {
  fulfillmentOrder(id: $id) { orderId }
}
"""

ORDERS_SINCE: Final = """
query OrdersSince($query: String!, $after: String) {
  orders(first: 250, after: $after, query: $query, sortKey: UPDATED_AT) {
    nodes { id updatedAt }
    pageInfo { hasNextPage endCursor }
  }
}
"""

_PAST_LINES: Final = """
fragment PastLines on LineItemConnection {
  nodes {
    quantity name sku vendor requiresShipping taxable
    originalUnitPriceSet { shopMoney { amount currencyCode } }
    variant { id }
    product { id }
  }
  pageInfo { hasNextPage endCursor }
}
"""

PAST_ORDERS: Final = (
    """
query PastOrders($query: String!, $after: String) {
  orders(first: 7, after: $after, query: $query, sortKey: CREATED_AT) {
    nodes {
      id name createdAt cancelledAt test currencyCode taxesIncluded customerLocale
      subtotalPriceSet { shopMoney { amount currencyCode } }
      shippingAddress { countryCodeV2 provinceCode city zip }
      shippingLines(first: 3) { nodes { title discountedPriceSet { shopMoney { amount currencyCode } } } }
      lineItems(first: 20) { ...PastLines }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""
    + _PAST_LINES
)

PAST_LINES: Final = (
    """
query MorePastLines($id: ID!, $after: String) {
  order(id: $id) { lineItems(first: 100, after: $after) { ...PastLines } }
}
"""
    + _PAST_LINES
)

# --- fulfilments ------------------------------------------------------------------------------------------------------

FULFILMENTS: Final = """
query Fulfilments($id: ID!, $first: Int!, $numbers: Int!) {
  order(id: $id) { fulfillments(first: $first) { id status trackingInfo(first: $numbers) { number } } }
}
"""

FULFIL: Final = """
mutation Fulfil($fulfillment: FulfillmentInput!) {
  fulfillmentCreate(fulfillment: $fulfillment) {
    fulfillment { id status trackingInfo(first: 5) { number } }
    userErrors { field message }
  }
}
"""

UPDATE_TRACKING: Final = """
mutation UpdateTracking($id: ID!, $info: FulfillmentTrackingInput!, $notify: Boolean!) {
  fulfillmentTrackingInfoUpdate(fulfillmentId: $id, trackingInfoInput: $info, notifyCustomer: $notify) {
    fulfillment { id }
    userErrors { field message }
  }
}
"""

CANCEL_FULFILMENT: Final = """
mutation CancelFulfilment($id: ID!) {
  fulfillmentCancel(id: $id) {
    fulfillment { id status }
    userErrors { field message }
  }
}
"""

EVENTS: Final = """
query Events($id: ID!, $after: String) {
  fulfillment(id: $id) {
    events(first: 100, after: $after, sortKey: HAPPENED_AT, reverse: true) {
      nodes { status happenedAt }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""

ADD_EVENT: Final = """
mutation AddEvent($event: FulfillmentEventInput!) {
  fulfillmentEventCreate(fulfillmentEvent: $event) {
    fulfillmentEvent { id status happenedAt }
    userErrors { field message }
  }
}
"""

# --- set-up -----------------------------------------------------------------------------------------------------------

RATE_SERVICES: Final = """
query RateServices($after: String) {
  carrierServices(first: 50, after: $after) {
    nodes { id name active callbackUrl supportsServiceDiscovery }
    pageInfo { hasNextPage endCursor }
  }
}
"""

ADD_RATE_SERVICE: Final = """
mutation AddRateService($input: DeliveryCarrierServiceCreateInput!) {
  carrierServiceCreate(input: $input) {
    carrierService { id active callbackUrl }
    userErrors { field message code }
  }
}
"""

CHANGE_RATE_SERVICE: Final = """
mutation ChangeRateService($input: DeliveryCarrierServiceUpdateInput!) {
  carrierServiceUpdate(input: $input) {
    carrierService { id active callbackUrl }
    userErrors { field message code }
  }
}
"""

REMOVE_RATE_SERVICE: Final = """
mutation RemoveRateService($id: ID!) {
  carrierServiceDelete(id: $id) {
    deletedId
    userErrors { field message code }
  }
}
"""

SUBSCRIPTIONS: Final = """
query Subscriptions($after: String) {
  webhookSubscriptions(first: 100, after: $after) {
    nodes { id topic uri includeFields }
    pageInfo { hasNextPage endCursor }
  }
}
"""

SUBSCRIBE: Final = """
mutation Subscribe($topic: WebhookSubscriptionTopic!, $subscription: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $subscription) {
    webhookSubscription { id topic uri }
    userErrors { field message }
  }
}
"""

CHANGE_SUBSCRIPTION: Final = """
mutation ChangeSubscription($id: ID!, $subscription: WebhookSubscriptionInput!) {
  webhookSubscriptionUpdate(id: $id, webhookSubscription: $subscription) {
    webhookSubscription { id topic uri }
    userErrors { field message }
  }
}
"""

UNSUBSCRIBE: Final = """
mutation Unsubscribe($id: ID!) {
  webhookSubscriptionDelete(id: $id) {
    deletedWebhookSubscriptionId
    userErrors { field message }
  }
}
"""

# What the app asks a merchant for; write implies read. Held by tests to the schema's own list of what each field needs.
SCOPES: Final = (
    "read_orders",
    "write_merchant_managed_fulfillment_orders",
    "write_fulfillments",
    "write_shipping",
    "read_products",
    "read_locations",
)
