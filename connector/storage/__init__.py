"""The database, and what every room keeps in it by the same rules: ids, tenancy, versions, audit, secrets, persons."""
