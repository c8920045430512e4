"""From carrier events to one state per parcel, and from there to the store's timeline."""
