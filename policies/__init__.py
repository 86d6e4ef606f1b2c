"""The findings of the reviewer as a policy pack of Pulumi; docs/policies.md tells how it is used."""
