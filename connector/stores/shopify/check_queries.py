"""The GraphQL operations of a check-up; `queries` has all others. They only read.

Page sizes keep each below 700 query points, so that one does not empty the smallest plan's allowance.
"""

from __future__ import annotations

from typing import Final

CHECK_SHOP: Final = """
query CheckShop {
  shop { plan { publicDisplayName partnerDevelopment } }
  currentAppInstallation { accessScopes { handle } }
}
"""

CHECK_PROFILES: Final = """
query CheckProfiles($after: String) {
  deliveryProfiles(first: 20, after: $after) {
    nodes {
      id name default
      productVariantsCount { count }
      profileItems(first: 4) { nodes { product { title } } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""

CHECK_ZONES: Final = """
query CheckZones($id: ID!, $group: ID, $after: String) {
  deliveryProfile(id: $id) {
    profileLocationGroups(locationGroupId: $group) {
      locationGroup { id }
      locationGroupZones(first: 10, after: $after) {
        nodes {
          zone { id name }
          byApps: methodDefinitions(first: 10, type: PARTICIPANT) {
            nodes { active rateProvider { ... on DeliveryParticipant { carrierService { id } } } }
          }
          byHand: methodDefinitions(first: 10, type: MERCHANT) { nodes { name active } }
        }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}
"""

CHECK_WEIGHTS: Final = """
query CheckWeights($after: String) {
  productVariants(first: 100, after: $after, query: "product_status:ACTIVE") {
    nodes {
      displayName
      inventoryItem { requiresShipping measurement { weight { unit value } } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""

CHECK_ORDERS: Final = """
query CheckOrders($query: String!, $after: String) {
  orders(first: 50, after: $after, query: $query, sortKey: UPDATED_AT) {
    nodes { createdAt displayFinancialStatus cancelledAt shippingLines(first: 3) { nodes { code title source } } }
    pageInfo { hasNextPage endCursor }
  }
}
"""
