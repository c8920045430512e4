"""Who may use the desk: people with their roles, sessions, one-time links, and forms that were sent."""
