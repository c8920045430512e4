"""What a merchant manages in a shop, the same from the command line and the desk: settings and carrier accounts."""
