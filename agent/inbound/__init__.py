"""From a stored SMS or a message of a channel to its verdict in the journal."""
