"""The whole product over HTTP: real processes, both simulators, both databases; and what happens when they die."""
