"""An AWS on this machine, whose ECS really runs tasks. It is not AWS: see README.md."""
