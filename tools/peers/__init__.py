"""Let independent Salesforce clients, unmodified, read and write the sandbox org, and compare what they saw."""
