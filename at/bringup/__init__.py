"""From an open port to a modem that receives and sends; what it says of itself."""
