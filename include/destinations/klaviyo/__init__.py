"""Carry profiles and events to Klaviyo."""
