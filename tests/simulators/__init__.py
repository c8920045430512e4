"""The outside parties as real HTTP servers on loopback, held to recorded traffic, with faults on request."""
