"""What the templates of the back office ask for."""
