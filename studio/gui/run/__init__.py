"""The run under way: starting it, steering it, and the timer that fetches what it shows."""
