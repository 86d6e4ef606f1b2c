"""What ECS says of tasks, for whoever starts some: clients that launch runs, and runs that start Dask workers."""
