"""A paid order becomes parcels that are bought as quoted; edits, holds, cancellations, and a sweep that misses none."""
