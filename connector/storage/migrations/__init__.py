"""The schema's history. `versions` holds one file per change; `connector.storage.migrate` applies them."""
