"""Where heavy work runs: in this process, or on the machines of Ray."""
