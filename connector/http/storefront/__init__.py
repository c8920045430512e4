"""The storefront's doors: prices before the checkout for a shop's own pages, and the script that shows them."""
