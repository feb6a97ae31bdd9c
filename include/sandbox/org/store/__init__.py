"""Where records live: one embedded DuckDB file."""
