"""Restricted Boltzmann machines: energies, Gibbs sampling, partition functions, and the model that trains them."""
