"""A local Salesforce org over HTTP; `python -m include.sandbox.org` runs it alone."""
