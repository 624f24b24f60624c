"""How numbers and dates are written, by language."""
