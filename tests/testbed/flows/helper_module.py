def square(number: int) -> int:
    """A function that workers have to import by its module."""
    return number * number
