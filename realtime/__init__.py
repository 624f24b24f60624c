"""What has changed, as events in the order of their commits: the log that live updates are sent from."""
