"""The merchant's pages behind a login: rendered on the server, whole without scripts."""
