"""Runs as tasks of Amazon ECS, on Fargate, EC2 or machines of one's own."""
