"""The device-side agent: commands in by SMS, MQTT and console; each run at most once, reported."""

__version__ = "0.1.0"
