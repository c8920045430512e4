"""What a packer prints: labels on their sheets, packing slips, pick lists. Pure: bytes and values in, bytes out."""
