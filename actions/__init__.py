"""The requests centre: what is to be done for customers, by whom and when, and the numbers above it."""
