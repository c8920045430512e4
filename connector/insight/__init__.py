"""What a shop's own history says: what shipping would have cost, and where money is lost."""
