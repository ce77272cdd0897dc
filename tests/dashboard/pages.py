"""Reading a page as a browser does: its links, its forms, its words."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Form:
    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


class Page(HTMLParser):
    """What of a page can be followed or pressed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: dict[str, str] = {}
        self.hrefs: list[str] = []
        self.forms: list[Form] = []
        self.scripts: list[str] = []
        self.inline_scripts = 0
        self.inline_styles = 0
        self.addresses: list[str] = []
        self._href: str | None = None
        self._words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        values = {name: value or "" for name, value in attrs}
        self.scripts += [values["src"]] if tag == "script" and "src" in values else []
        named = any(name.startswith(("on", "hx-on")) for name in values)
        self.inline_scripts += (tag == "script" and "src" not in values) or named
        self.inline_styles += tag == "style" or "style" in values
        self.addresses += [values[name] for name in ("href", "src", "action") if name in values]
        if tag == "a":
            self._href, self._words = values["href"], []
            self.hrefs.append(values["href"])
        elif tag == "form":
            self.forms.append(Form(values["action"], values["method"]))
        elif tag == "input" and self.forms and "name" in values:
            self.forms[-1].fields[values["name"]] = values.get("value", "")

    def handle_data(self, data):
        self._words.append(data)

    def handle_endtag(self, tag):
        if tag == "a" and self._href is not None:
            self.links[" ".join("".join(self._words).split())] = self._href
            self._href = None

    def form(self, ending: str) -> Form:
        """Return the form that posts to an address with this ending."""
        return next(form for form in self.forms if form.action.endswith(ending))


def read(response) -> Page:
    return Page(response.text)


def press(browser, path: str, ending: str):
    """Open a page and press the button of the form that posts to an address with this ending."""
    form = read(browser.get(path)).form(ending)
    return browser.post(form.action, data=form.fields)
