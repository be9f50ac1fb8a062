"""What `modem-agent doctor` looks at: one file a layer, in each a table of checks."""
