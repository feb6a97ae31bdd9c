"""What the org knows of its objects and fields."""
