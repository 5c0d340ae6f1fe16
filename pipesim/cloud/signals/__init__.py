"""What an account announces: events, metrics, alarms, notifications and the trail of its calls."""
