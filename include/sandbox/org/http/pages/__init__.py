"""Pages for people: what the org holds and does, its controls, and single records."""
