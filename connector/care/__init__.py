"""Care for what is kept: back it up, restore it, move it to another database, with work in flight."""
