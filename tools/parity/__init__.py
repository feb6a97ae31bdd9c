"""Compare the warehouse with what other clients read from the same org, value by value, while people work in it."""
