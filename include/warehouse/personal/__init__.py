"""Which fields belong to a person, how their values are hidden, and who was shown them."""
