"""Carry profiles and events to HubSpot."""
