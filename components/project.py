"""Where the Pulumi project is."""

from pathlib import Path

import pulumi


def project_folder() -> Path:
    """The folder with Pulumi.yaml.

    Old language hosts do not tell it: then it is looked for from the program's folder upwards.
    """
    told = pulumi.get_root_directory()
    if told:
        return Path(told)
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / "Pulumi.yaml").is_file()), here)
