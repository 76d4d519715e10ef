"""The control plane's wiring: which routers, which background work, who may in."""
