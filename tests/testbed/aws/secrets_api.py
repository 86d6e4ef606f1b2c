"""The operations of Secrets Manager in which moto does not say what Secrets Manager says.

Source: "CreateSecret", "DeleteSecret" and "GetSecretValue" in the AWS Secrets Manager API Reference; the words are
those of reports.
"""

from moto.secretsmanager import urls
from moto.secretsmanager.exceptions import SecretsManagerClientError
from moto.secretsmanager.responses import SecretsManagerResponse

MISSING = "Secrets Manager can't find the specified secret."
MARKED = "You can't perform this operation on the secret because it was marked for deletion."
NAME_MARKED = "You can't create this secret because a secret with this name is already scheduled for deletion."
LONGEST_VALUE = 65_536
"""Bytes of a secret's value."""


class Responses(SecretsManagerResponse):  # type: ignore[misc]
    """Secrets Manager, which tells a secret that is there from one that is to be deleted."""

    def create_secret(self) -> str:
        """Create a secret, once for a token; not where one of that name is there, or could still be restored."""
        name = self._get_param("Name")
        if len(str(self._get_param("SecretString") or "").encode()) > LONGEST_VALUE:
            raise SecretsManagerClientError(
                "ValidationException",
                "1 validation error detected: Value at 'secretString' failed to satisfy constraint: Member must have "
                f"length less than or equal to {LONGEST_VALUE}",
            )
        there = self.backend.secrets.get(name)
        if there is not None and there.is_deleted():
            raise SecretsManagerClientError("InvalidRequestException", NAME_MARKED)
        if there is not None and self._get_param("ClientRequestToken") not in there.versions:
            message = f"The operation failed because the secret {name} already exists."
            raise SecretsManagerClientError("ResourceExistsException", message)
        return str(super().create_secret())

    def get_secret_value(self) -> str:
        """The value of a secret that is there, and not to be deleted."""
        self._refuse()
        return str(super().get_secret_value())

    def describe_secret(self) -> str:
        """What a secret is; one that is to be deleted, too."""
        self._refuse(marked=False)
        return str(super().describe_secret())

    def delete_secret(self) -> str:
        """Delete a secret, in some days, or at once: that does not mind whether it is there."""
        if not self._get_param("ForceDeleteWithoutRecovery"):
            self._refuse()
        return str(super().delete_secret())

    def _refuse(self, *, marked: bool = True) -> None:
        # Each with status 400, of which moto makes 404 for some.
        secret = self.backend.secrets.get(self._get_param("SecretId"))
        if secret is None:
            raise SecretsManagerClientError("ResourceNotFoundException", MISSING)
        if marked and secret.is_deleted():
            raise SecretsManagerClientError("InvalidRequestException", MARKED)


def install() -> None:
    """Have moto say it."""
    urls.url_paths = {"{0}/$": Responses.dispatch}
