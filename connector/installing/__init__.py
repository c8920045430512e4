"""Connect a store, switch its rates on and off, move its callbacks, do what privacy laws ask, and let it go."""
