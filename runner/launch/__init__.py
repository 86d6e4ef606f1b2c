"""The client's side of a run: launchers, one per platform."""
