"""hello.py as a flow of Prefect's."""

from prefect import flow


@flow
def main() -> None:
    print("hello from the flow")


if __name__ == "__main__":
    main()
