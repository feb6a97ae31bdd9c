"""Carry profiles and events to Insider One."""
