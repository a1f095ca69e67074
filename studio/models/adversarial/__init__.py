"""What models of a critic and a generator share: settings, losses, Lipschitz constraints, noise, diagnostics."""
