"""What a modem shows of a message in text mode (TS 27.005)."""
