"""What every service process needs: settings, logs, health, stopping, and a command line."""
