"""Hold the fixed access token of the sandbox account: for development only, worth nothing anywhere else."""

TOKEN = "sandbox-hubspot-token"
UNIQUE_PROPERTY = "salesforce_contact_id"
