"""The typed client: what the command line and users' scripts call, against a server or the platform in this process."""
