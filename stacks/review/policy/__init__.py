"""What must not be found, and what is allowed all the same."""
