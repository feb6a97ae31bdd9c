"""What processes share when they call an org or a platform: budget, pace, sessions, refusals."""
