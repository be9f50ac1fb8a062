"""The commands: one file each, found through the registry."""
