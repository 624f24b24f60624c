"""English as the Gulf writes it."""
