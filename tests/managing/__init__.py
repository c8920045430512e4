"""What a merchant manages, on each kind of database."""
