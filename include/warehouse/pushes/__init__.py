"""What pushes select from, and the ledgers of what they sent and what became of it."""
