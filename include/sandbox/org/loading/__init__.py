"""Records that come in by the Bulk APIs: read, matched to fields and parents, written in chunks."""
