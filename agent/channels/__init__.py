"""The ways in and out beside the modem: one row a channel, none knowing another."""
