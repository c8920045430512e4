"""The command line, end to end on SQLite with the sandbox."""
