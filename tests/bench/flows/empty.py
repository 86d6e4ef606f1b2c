"""A flow that does nothing: what it takes is what running a flow takes."""


def main() -> None:
    pass


if __name__ == "__main__":
    main()
