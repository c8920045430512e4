"""Every store platform behind one Protocol: one folder each, independent of each other."""
