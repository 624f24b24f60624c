"""Who is asking: organizations, teams, employees, their roles and sessions."""
