"""From transit days to a date window that is kept; pure."""
