"""The product: connects a store to carriers."""
