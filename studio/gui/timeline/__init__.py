"""The bar and the cursor that go to any step of a run."""
