"""A flow that is up until it is ended."""

import time


def main() -> None:
    print("waiting")
    time.sleep(600)


if __name__ == "__main__":
    main()
