"""How an image comes out of a Dockerfile: with a Docker engine, or without one from Debian packages with buildah."""
