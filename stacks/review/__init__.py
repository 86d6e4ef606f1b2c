"""Says what a preview of Pulumi means: who may do what, what becomes reachable, what is destroyed, what it can cost."""
