"""The shipped files, put into a system."""
