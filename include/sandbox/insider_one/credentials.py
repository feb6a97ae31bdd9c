"""Hold the fixed sign-in of the sandbox account: for development only, worth nothing anywhere else."""

PARTNER = "headwater"
TOKEN = "sandbox-request-token"
