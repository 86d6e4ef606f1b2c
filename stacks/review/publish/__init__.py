"""Keeps one comment of a pull request, or note of a merge request, up to date: `python -m stacks.review.publish`."""
