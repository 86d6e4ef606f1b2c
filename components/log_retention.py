"""How long CloudWatch keeps logs."""

from runner.contract import broken_rule

DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
"""What CloudWatch takes. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"""
DEFAULT = 30
"""As long as a document's `retention` keeps what is known of a failed run."""


def days(log_retention_days: int = DEFAULT) -> int:
    """The same number of days.

    Raises:
        ContractError: CloudWatch does not take it.
    """
    if log_retention_days not in DAYS:
        near = next((number for number in DAYS if number > log_retention_days), DAYS[-1])
        listed = f"{near}, or another of {', '.join(map(str, DAYS))}"
        raise broken_rule("log_retention_days", str(log_retention_days), listed)
    return log_retention_days
