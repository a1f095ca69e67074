"""Tests of the models and of the one weighted reduction."""
