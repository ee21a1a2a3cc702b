"""The native stack: installs, starts and supervises the real components on one machine."""
