"""From a planned parcel to exactly one label, and what follows from it: files, papers, lists, voids, bills, amounts."""
