"""From a TOML file to a frozen Config: shape first, then meaning, all problems at once."""
