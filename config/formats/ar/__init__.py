"""Arabic as the Gulf writes it."""
