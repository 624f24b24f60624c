"""The shapes of customers and of what hangs on them: what leaves, and what may be written."""
