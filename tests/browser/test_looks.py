"""Pages on a phone, and for eyes that need contrast: measured in the browser, not by eye."""

from pathlib import Path

import pytest

PHONE = {"width": 390, "height": 844}
CONTRAST = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")
MAIN_PAGES = (
    *("overview", "jobs", "job", "running", "edit", "failures", "failure", "operation", "operate", "queues", "kinds"),
    *("kind", "schedules", "audit", "operators", "me", "enqueue-kind", "erasures", "erasure", "calendar", "data-map"),
)
TOO_WIDE = """() => {
  const wide = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= wide && document.body.scrollWidth <= wide) return [];
  return [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > wide + 1)
    .map((e) => `${e.tagName}.${e.className} ${Math.round(e.getBoundingClientRect().right)}`).slice(0, 5);
}"""


def test_no_page_scrolls_sideways_on_a_phone(visiting, pages):
    with visiting(viewport=PHONE, has_touch=True, is_mobile=True) as kim:
        wide = {}
        for name, path in {**pages, "error": "/jobs/1", "sign-in": "/sign-in?again=1"}.items():
            kim.page.goto(path)
            kim.page.wait_for_function("document.documentElement.classList.contains('scripted')")
            if found := kim.page.evaluate(TOO_WIDE):
                wide[name] = found
    assert wide == {}


def test_a_phone_shows_the_whole_of_every_table(visiting, pages):
    """Nothing of a table is cut off by the card or the page that it stands in."""
    cut = """() => [...document.querySelectorAll("td, th, progress, .button, button")].filter((e) => {
      const box = e.getBoundingClientRect();
      return box.width > 1 && box.right > document.documentElement.clientWidth + 1 && !e.closest(".scroll, pre, nav");
    }).map((e) => e.innerText.slice(0, 40))"""
    with visiting(viewport=PHONE, has_touch=True, is_mobile=True) as kim:
        found = {}
        for name in (
            "overview",
            "jobs",
            "job",
            "failures",
            "operation",
            "queues",
            "kinds",
            "kind",
            "schedules",
            "audit",
            "erasures",
            "erasure",
            "calendar",
            "data-map",
        ):
            kim.page.goto(pages[name])
            if told := kim.page.evaluate(cut):
                found[name] = told
    assert found == {}


def test_text_has_the_contrast_that_wcag_asks_for_in_light_and_in_dark(visiting, pages):
    with visiting() as kim:
        faint = {}
        for name in MAIN_PAGES:
            kim.page.goto(pages[name])
            for scheme in ("light", "dark"):
                kim.page.emulate_media(color_scheme=scheme)
                measured = kim.page.evaluate(CONTRAST)
                assert measured["texts"] > 20, name
                if measured["faint"]:
                    faint[name, scheme] = measured["faint"]
    assert faint == {}


@pytest.mark.parametrize(("colour", "faint"), [("#767676", 0), ("#787878", 1)])
def test_the_measure_of_contrast_is_that_of_wcag(chromium, colour, faint):
    """#767676 on white is the faintest grey that passes, 4.54 to 1."""
    page = chromium.new_page()
    page.set_content(f"<body style='background: white'><p style='color: {colour}'>grey</p>")
    assert len(page.evaluate(CONTRAST)["faint"]) == faint
    page.close()
