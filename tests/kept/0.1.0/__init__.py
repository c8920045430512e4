"""What release 0.1.0 left behind, and how it was made."""
