"""From a planned parcel to exactly one label: intent, purchase, look-up, files, amounts, void."""
