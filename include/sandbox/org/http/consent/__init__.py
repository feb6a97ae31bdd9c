"""The pages of the sign-in in a browser: sign in, allow or deny, and what went wrong."""
