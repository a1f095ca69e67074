"""The window itself, which puts the panels in their places. Nothing else imports it."""
