"""What Saudi law asks of a deal: its parts, what time makes of them, the rules they keep, and what is amiss."""
