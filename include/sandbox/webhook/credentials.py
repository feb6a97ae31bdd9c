"""Hold the fixed secret of the sandbox receiver: for development only, worth nothing anywhere else."""

SECRET = "whsec_c2FuZGJveC1vbmx5LXdvcnRoLW5vdGhpbmctZWxzZXdoZXJl"
