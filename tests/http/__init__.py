"""The doors of the house, asked through an in-process client and, where it matters, a real server."""
