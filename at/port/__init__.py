"""Opens, locks and closes the port, never on the event loop."""
