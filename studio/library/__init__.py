"""All runs of a workspace: what each was, what came of it, and what a person wrote to it. No Qt, no torch."""
