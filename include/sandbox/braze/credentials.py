"""Hold the fixed key of the sandbox workspace: for development only, worth nothing anywhere else."""

KEY = "sandbox-braze-key"
