"""One list of what needs a person: the cause, the cure, and when it was resolved. Every room writes to it."""
