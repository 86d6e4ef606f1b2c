"""How reports are written: as a comment, for a terminal, as JSON."""
