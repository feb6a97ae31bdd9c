"""Measure what Headwater does against what the machine could do, and against what people use today."""
