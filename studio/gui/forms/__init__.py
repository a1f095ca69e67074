"""Forms made from the fields of a configuration, and the fields that need more than a box for a number."""
