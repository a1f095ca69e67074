"""The commands: each reads its arguments, calls one room of the house and prints what came of it."""
