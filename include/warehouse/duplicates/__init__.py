"""The keys by which records are compared, and the ledgers of which are one."""
