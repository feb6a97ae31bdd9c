"""Carry profiles and events to Braze."""
