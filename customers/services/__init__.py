"""Every write about customers, and what hangs on them, that has a consequence."""
