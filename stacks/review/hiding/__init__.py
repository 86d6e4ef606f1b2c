"""What keeps secrets out of reviews."""
