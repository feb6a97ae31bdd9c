"""Hold the fixed key of the sandbox account: for development only, worth nothing anywhere else."""

KEY = "pk_sandbox"
REVISION = "2026-07-15"
