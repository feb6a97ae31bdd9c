"""The org over HTTP: one file a resource."""
