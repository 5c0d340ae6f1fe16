"""What AWS does not write down: durations, odds, arrivals, people and pools."""
