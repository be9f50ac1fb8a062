"""What the operating system gives: clocks, processes, service manager, files."""
