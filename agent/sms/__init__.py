"""Every SMS that leaves, and the delivery reports that come back."""
