"""Prices, and the sizes that they are paid for."""
