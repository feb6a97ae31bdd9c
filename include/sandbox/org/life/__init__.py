"""Life: people who work in the org while others read it."""

from include.sandbox.org.life.run import Life
from include.sandbox.org.life.settings import Outcome, Settings

__all__ = ["Life", "Outcome", "Settings"]
