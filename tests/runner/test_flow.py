"""Finding the user's flow, and telling in a sentence why it cannot be found."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner.errors import LoadError
from runner.flow import RUNNER_FOLDER, Function, Script, load, load_callback, suggestion, traceback_of
from runner.outcome import ExitCode

Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The interpreter as a run finds it, and as it was before afterwards: loading changes it for good."""
    path, modules, arguments = list(sys.path), dict(sys.modules), sys.argv
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    yield
    sys.path[:], sys.argv = path, arguments
    for name in sys.modules.keys() - modules.keys():
        del sys.modules[name]
    sys.modules.update(modules)


@pytest.fixture
def write() -> Write:
    def to(name: str, text: str = "def main(): return 'called'\n") -> Path:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return to


def function(reference: str, *, by_value: bool = False) -> Function:
    found = load(reference, by_value=by_value)
    assert isinstance(found, Function)
    return found


def refusal(reference: str) -> LoadError:
    with pytest.raises(LoadError) as caught:
        load(reference)
    assert caught.value.exit_code is ExitCode.CANNOT_LOAD
    return caught.value


@pytest.mark.parametrize("name", ["flow.py", "sub/flow.py", "my-flow.v2.py", "größe.py", "a:b.py"])
def test_a_function_of_a_file_is_found_whatever_the_files_name(write: Write, name: str) -> None:
    write(name)

    assert function(f"{name}:main").call() == "called"
    assert function(f"{Path(name).absolute()}:main").call() == "called"


def test_a_function_of_a_module_in_the_current_folder_is_found(write: Write) -> None:
    write("pkg/__init__.py", "")
    write("pkg/flows.py")

    found = function("pkg.flows:main")

    assert found.call() == "called"
    assert found.module is sys.modules["pkg.flows"]
    assert not found.prefect
    assert sys.path[0] == str(Path.cwd())


def test_a_file_imports_what_lies_beside_it(write: Write) -> None:
    write("sub/helper_of_flow.py", "VALUE = 7\n")
    write("sub/flow.py", "from helper_of_flow import VALUE\ndef main(): return VALUE\n")

    assert function("sub/flow.py:main").call() == 7


def test_a_dotted_name_is_followed(write: Write) -> None:
    write("flow.py", "class Flows:\n    class Daily:\n        @staticmethod\n        def main(): return 1\n")

    assert function("flow.py:Flows.Daily.main").call() == 1


def test_a_file_is_a_module_by_its_own_name_so_that_dask_can_pickle_by_it(write: Write) -> None:
    write("flow_of_mine.py")

    module = function("flow_of_mine.py:main").module

    assert module.__name__ == "flow_of_mine"
    assert sys.modules["flow_of_mine"] is module
    assert module.__file__ == str(Path("flow_of_mine.py").absolute())
    assert module.__spec__ is not None


@pytest.mark.parametrize(
    ("file", "name"), [("flow_of_mine.py", "flow_of_mine__main__"), ("my-flow.2.py", "my_flow_2__main__")]
)
def test_for_workers_without_the_file_its_module_has_a_name_that_nobody_imports(
    write: Write, file: str, name: str
) -> None:
    write(file)

    assert function(f"{file}:main", by_value=True).call.__module__ == name


@pytest.mark.parametrize("name", ["json", "colorsys", "runner", "pytest"])
def test_a_file_with_the_name_of_another_module_does_not_take_its_place(write: Write, name: str) -> None:
    write(f"{name}.py")
    before = sys.modules.get(name)

    found = function(f"{name}.py:main")

    assert found.call() == "called"
    assert found.module.__name__ == f"{name}__main__"
    assert sys.modules.get(name) is before


def test_two_files_of_one_name_are_two_modules(write: Write) -> None:
    write("one/flow_twice.py", "def main(): return 1\n")
    write("two/flow_twice.py", "def main(): return 2\n")

    one, two = function("one/flow_twice.py:main"), function("two/flow_twice.py:main")

    assert (one.call(), two.call()) == (1, 2)


def test_a_script_runs_as_python_would_run_it(write: Write, capfd: pytest.CaptureFixture[str]) -> None:
    write("sub/beside_script.py", "WORD = 'beside'\n")
    path = write(
        "sub/report.py",
        "import sys\nfrom beside_script import WORD\nif __name__ == '__main__':\n"
        "    import __main__\n    print(WORD, sys.argv, __file__, __main__.WORD)\n",
    )

    script = load(str(path))
    assert isinstance(script, Script)
    script.run(["--month", "3"])

    assert capfd.readouterr().out == f"beside {[str(path), '--month', '3']} {path} beside\n"


def test_a_script_is_compiled_but_not_run_when_it_is_loaded(write: Write) -> None:
    write("script.py", "raise SystemExit(9)\n")

    assert isinstance(load("script.py"), Script)


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ("flow", "The flow 'flow' names no function. Write module:function or file.py:function."),
        ("pkg.flow:", "The flow 'pkg.flow:' names no function. Write module:function or file.py:function."),
        ("flow.py:", "The flow 'flow.py:' names no function. Write module:function or file.py:function."),
        (":main", "The flow ':main' names no module. Write module:function or file.py:function."),
        ("", "The flow '' names no module. Write module:function or file.py:function."),
    ],
)
def test_a_reference_that_is_not_whole_is_told_how_to_write_it(reference: str, sentence: str) -> None:
    assert str(refusal(reference)) == sentence


def test_a_missing_file_is_told_with_the_folder_and_the_nearest_name(write: Write) -> None:
    write("sub/flows.py")

    assert str(refusal("sub/flow.py:main")) == (
        f"The flow file sub/flow.py does not exist in {Path.cwd()}. Did you mean 'flows.py'? "
        "Give the path from the folder in which the run starts."
    )
    assert str(refusal("nowhere/flow.py")) == (
        f"The flow file nowhere/flow.py does not exist in {Path.cwd()}. "
        "Give the path from the folder in which the run starts."
    )


def test_a_folder_is_no_flow_file() -> None:
    Path("x.py").mkdir()

    sentence = "The flow file x.py cannot be read (Is a directory). Check what it is and who may."
    assert str(refusal("x.py:main")) == str(refusal("x.py")) == sentence


def test_a_path_that_no_file_can_have_is_refused() -> None:
    assert str(refusal("a\0b.py:main")).startswith("The flow file a\0b.py cannot be read (embedded null byte).")


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("x = 1\ndef main(:\n", "flow.py, line 2", "invalid syntax"),
        ("def main():\nreturn 1\n", "flow.py, line 2", "expected an indented block"),
        ("x = 1\0\n", "flow.py", "source code"),
        ("# coding: no-such-codec\n", "flow.py", "unknown encoding"),
    ],
)
def test_what_is_not_python_is_told_with_its_line(write: Write, text: str, place: str, reason: str) -> None:
    write("flow.py", text)

    for reference in ("flow.py:main", "flow.py"):
        message = str(refusal(reference))
        assert message.startswith(f"{place} is not valid Python {sys.version_info.major}.{sys.version_info.minor}: ")
        assert reason in message
        assert message.endswith(". Correct it; `python -m py_compile` shows the same.")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1 / 0\n", "raised ZeroDivisionError while it was imported, in line 1 of broken_flow.py: division by zero."),
        ("raise SystemExit(3)\n", "raised SystemExit while it was imported, in line 1 of broken_flow.py: 3."),
        (
            "import sys\nsys.exit('no licence')\n",
            "raised SystemExit while it was imported, in line 2 of broken_flow.py: no licence.",
        ),
    ],
)
@pytest.mark.parametrize("reference", ["broken_flow.py:main", "broken_flow:main"])
def test_what_a_flow_raises_at_import_is_told_with_its_own_traceback(
    write: Write, text: str, sentence: str, reference: str
) -> None:
    write("broken_flow.py", text)

    error = refusal(reference)

    assert str(error) == f"{reference.rpartition(':')[0]} {sentence} Correct what it does at import."
    assert error.detail is not None
    assert 'broken_flow.py", line' in error.detail
    assert RUNNER_FOLDER not in error.detail


def test_ctrl_c_at_import_is_not_the_flows_failure(write: Write) -> None:
    write("flow.py", "raise KeyboardInterrupt\n")

    with pytest.raises(KeyboardInterrupt):
        load("flow.py:main")


@pytest.mark.parametrize("reference", ["needs_flow.py:main", "needs_flow:main"])
def test_a_module_that_the_flow_lacks_is_named(write: Write, reference: str) -> None:
    write("needs_flow.py", "import no_such_library.part\n")

    error = refusal(reference)

    assert str(error) == (
        f"{reference.rpartition(':')[0]} imports 'no_such_library', which is not installed. Install it beside the flow."
    )
    assert error.detail is not None
    assert "import no_such_library.part" in error.detail


@pytest.mark.parametrize(
    ("reference", "missing"), [("no_such:main", "no_such"), ("pkg.no_such.deep:main", "pkg.no_such")]
)
def test_a_module_that_is_not_there_is_named_with_where_it_was_looked_for(
    write: Write, reference: str, missing: str
) -> None:
    write("pkg/__init__.py", "")

    assert str(refusal(reference)) == (
        f"There is no module {missing!r} in {Path.cwd()} or among the installed packages. "
        "Name a module that can be imported from there, or the file as path/to/file.py:function."
    )


def test_a_function_that_is_not_there_is_told_with_those_that_are(write: Write) -> None:
    write("flow.py", "def mean(): ...\ndef total(): ...\ndef _hidden(): ...\nVALUE = 1\n")
    write("empty.py", "")

    assert str(refusal("flow.py:maen")) == ("flow.py has no function 'maen'. Did you mean 'mean'? It has: mean, total.")
    assert str(refusal("flow.py:x.y")) == "flow.py has no function 'x.y'. It has: mean, total."
    assert str(refusal("empty.py:main")) == "empty.py has no function 'main'. It has: no functions at all."


def test_what_cannot_be_called_is_no_flow(write: Write) -> None:
    write("flow.py", "main = 7\n")

    assert str(refusal("flow.py:main")) == "flow.py:main is of type int, expected a function. Name a function."


def test_a_prefect_flow_is_told_by_its_class_without_importing_prefect(write: Write) -> None:
    write("prefect/__init__.py", "")
    write(
        "prefect/flows.py",
        "class Flow:\n    def __init__(self, fn): self.fn = fn\n    def __call__(self): return self.fn()\n",
    )
    write(
        "flow.py", "from prefect.flows import Flow\nclass Mine(Flow): pass\ndef inner(): return 1\nmain = Mine(inner)\n"
    )
    sys.path.insert(0, str(Path.cwd()))
    sys.modules.pop("prefect", None)

    found = function("flow.py:main")

    assert found.prefect
    assert found.signature_of.__name__ == "inner"


def test_a_callback_is_found_and_its_fault_is_told_with_its_role(write: Write) -> None:
    write("hooks_of_mine.py", "def tell(outcome): return outcome\n")

    assert load_callback("hooks_of_mine:tell", role="on_exit")(7) == 7
    with pytest.raises(LoadError) as caught:
        load_callback("hooks_of_mine:tel", role="on_exit")
    assert str(caught.value) == (
        "The callback on_exit cannot be used. hooks_of_mine has no function 'tel'. Did you mean 'tell'? It has: tell."
    )


def test_a_folder_whose_name_begins_like_the_runners_is_not_cut_out_of_tracebacks() -> None:
    code = compile("1 / 0", f"{RUNNER_FOLDER}_flows/mine.py", "exec")

    try:
        exec(code)  # noqa: S102 a flow that raises
    except ZeroDivisionError as error:
        told = traceback_of(error)

    assert "_flows/mine.py" in told


def test_the_nearest_word_is_suggested_and_nothing_when_none_is_near() -> None:
    assert suggestion("dyas", ["days", "city"]) == " Did you mean 'days'?"
    assert suggestion("x", ["days"]) == suggestion("days", []) == ""


@pytest.mark.parametrize("by_value", [False, True])
def test_callbacks_of_the_flows_file_see_the_flows_own_module(write: Write, by_value: bool) -> None:
    file = write("both.py", "seen = []\ndef main(): seen.append(1)\ndef on_exit(outcome): return seen\n")

    flow = function(f"{file}:main", by_value=by_value)
    flow.call()

    assert load_callback("both:on_exit", role="on_exit")(None) == [1]
