"""Makes the records of a fresh org, with defects whose truth is known."""
