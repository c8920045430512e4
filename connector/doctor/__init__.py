"""What is wrong with this installation, and what to do: works with the database down, the key lost, a setting wrong."""
