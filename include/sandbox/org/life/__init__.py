"""Life: people who work in the org while others read it."""

from include.sandbox.org.life.run import Life

__all__ = ["Life"]
