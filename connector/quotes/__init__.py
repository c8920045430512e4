"""From a rate call to an answer: reduce, plan, ask carriers until the deadline, decide, keep, explain, replay."""
