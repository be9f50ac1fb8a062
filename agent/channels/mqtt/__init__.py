"""The MQTT channel: connection, requests in, reports and the device's state out."""
