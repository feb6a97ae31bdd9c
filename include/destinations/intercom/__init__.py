"""Carry profiles and events to Intercom."""
