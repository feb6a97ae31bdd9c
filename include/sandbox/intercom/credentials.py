"""Hold the fixed access token of the sandbox workspace: for development only, worth nothing anywhere else."""

TOKEN = "sandbox-intercom-token"
