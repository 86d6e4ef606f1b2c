"""Comments as GitHub shows them, near enough: its Markdown with HTML, tables and line breaks, and a page to look at."""

from html.parser import HTMLParser

from markdown_it import MarkdownIt

PAGE = """<!doctype html><meta charset="utf-8"><title>Comment</title><style>
body{{font:14px/1.5 -apple-system,"Segoe UI",Helvetica,Arial,"DejaVu Sans","Noto Color Emoji",sans-serif;color:#1f2328;
  margin:16px;max-width:880px}}
article{{border:1px solid #d0d7de;border-radius:6px;padding:16px}}
h3{{font-size:1.25em;line-height:1.35;margin:0 0 12px}}
p{{margin:0 0 12px}}
code{{font:85% ui-monospace,"DejaVu Sans Mono",monospace;background:#eff1f3;border-radius:6px;padding:.2em .4em}}
pre{{background:#f6f8fa;border-radius:6px;padding:12px;margin:0 0 12px;overflow:auto}}
pre code{{background:none;padding:0}}
table{{border-collapse:collapse;margin:0 0 12px}} td,th{{border:1px solid #d0d7de;padding:6px 13px;text-align:left}}
details{{margin:0 0 12px}} a{{color:#0969da}} sub{{font-size:75%;vertical-align:sub}}
.del{{background:#ffebe9;color:#82071e;display:block}} .add{{background:#dafbe1;color:#116329;display:block}}
</style><article>{body}</article>"""


def rendered(markdown: str) -> str:
    """The HTML of a comment."""
    return str(
        MarkdownIt("commonmark", {"html": True, "breaks": True}).enable(["table", "strikethrough"]).render(markdown)
    )


def page(markdown: str) -> str:
    """A page that a browser shows, with the colours of differences and everything unfolded."""
    lines = rendered(markdown).replace("<details>", "<details open>").splitlines()
    inside, coloured = False, []
    for line in lines:
        start = '<pre><code class="language-diff">'
        inside = inside or line.startswith(start)
        bare = line.removeprefix(start)
        sort = {"-": "del", "+": "add"}.get(bare[:1]) if inside else None
        coloured.append(f'{line[: len(line) - len(bare)]}<span class="{sort}">{bare}</span>' if sort else line)
        inside = inside and "</code>" not in line
    return PAGE.format(body="\n".join(coloured).replace("</span>\n", "</span>"))


class Elements(HTMLParser):
    """Elements and attributes of a page, in order, its comments, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.comments: list[str] = []
        self.text = ""
        self.words = ""
        """The text that is not code, in which GitHub looks for mentions, references and addresses."""
        self.codes = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(attrs)))
        self.codes += tag == "code"

    def handle_endtag(self, tag: str) -> None:
        self.found.append((f"/{tag}", ()))
        self.codes -= tag == "code"

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_data(self, data: str) -> None:
        self.text += data
        if not self.codes:
            self.words += data


def elements(markdown: str) -> Elements:
    """What is in the HTML of a comment."""
    parser = Elements()
    parser.feed(rendered(markdown))
    parser.close()
    return parser
