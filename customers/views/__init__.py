"""The viewsets of customers and of what hangs on them."""
