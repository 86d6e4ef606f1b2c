"""Runs flows as Jobs of a Kubernetes cluster. The API server is the only record: Jobs are found by their labels."""
