"""Labels: one for a parcel, whatever happens on the way."""
