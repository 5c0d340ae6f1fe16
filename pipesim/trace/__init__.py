"""What happened: events, and everything that can be read off them."""
