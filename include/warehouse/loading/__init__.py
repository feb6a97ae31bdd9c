"""Bring rows into the tables of objects."""
