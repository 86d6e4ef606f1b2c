"""The flow that is measured: it prints one line and returns."""


def main() -> None:
    print("hello from the flow")


if __name__ == "__main__":
    main()
