"""Carry profiles and events to any address that takes signed webhooks."""
