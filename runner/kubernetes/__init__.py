"""A lean client of the Kubernetes API: the standard library only, so that it starts at once and works in any pod."""
