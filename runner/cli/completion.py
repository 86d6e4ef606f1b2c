"""`penstock completion`: print the completion script for a shell.

The scripts ask `penstock completion --words` for what can come next, so that verbs, options, runs and environments are
always those of this installation.
"""

import argparse

from runner.cli import VERBS
from runner.cli.command import add_json, build_parser, print_json, wants_json

SCRIPTS = {
    "bash": """\
_penstock() {
    local IFS=$'\\n'
    COMPREPLY=($(compgen -W "$(penstock completion --words -- "${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null)" \\
        -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _penstock penstock""",
    "zsh": """\
#compdef penstock
_penstock() {
    local -a found
    found=("${(@f)$(penstock completion --words -- "${(@)words[2,CURRENT-1]}" 2>/dev/null)}")
    compadd -a found || _files
}
compdef _penstock penstock""",
    "fish": """\
function __penstock_words
    set -l words (commandline -opc)
    penstock completion --words -- $words[2..] 2>/dev/null
end
complete -c penstock -a '(__penstock_words)'""",
}
RUN_VERBS = ("describe", "logs", "cancel", "retry")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.epilog = 'For bash: eval "$(penstock completion bash)"'
    parser.add_argument("shell", nargs="?", choices=sorted(SCRIPTS), default="bash", help="default bash")
    parser.add_argument("--words", action="store_true", help="print what can follow the words behind --")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Print the script, or the words."""
    lines = words_after(options.arguments) if options.words else SCRIPTS[options.shell].splitlines()
    if wants_json(options):
        print_json({"words": lines} if options.words else {"script": "\n".join(lines)})
    else:
        print("\n".join(lines))
    return 0


def words_after(before: list[str]) -> list[str]:
    """What can follow these words of a command line."""
    if not before:
        return [*VERBS, "--help", "--version"]
    if before[0] not in VERBS:
        return []
    if before[-1] == "--env":
        from runner.cli.environments import documents

        return [path.stem for path in documents()]
    parser = build_parser(before[0])
    options = parser._actions  # noqa: SLF001 argparse has no public list of its options
    actions = [word for action in options for word in action.option_strings]
    choices = next((list(action.choices) for action in options if action.dest == "action" and action.choices), [])
    if before[0] in RUN_VERBS and len(before) == 1:
        from runner.launch.folders import runs_folder

        names = sorted(path.name for path in runs_folder().glob("[!.]*"))
        return names + actions
    return (choices if len(before) == 1 else []) + actions
