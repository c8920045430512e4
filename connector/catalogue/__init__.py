"""What is known of a product that the store does not say: sizes, packagings, handling, customs data; and its gaps."""
