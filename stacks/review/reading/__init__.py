"""How previews are read, in whichever of Pulumi's ways they were written."""
