"""The documents, held against what the product does."""
