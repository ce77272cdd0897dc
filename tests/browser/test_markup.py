"""What a vendor, a caller or a traceback says stays text, whatever it looks like."""

from playwright.sync_api import expect

from models.ledger import State

MARKUP = (
    "<script>window.stolen = 1</script><img src=x onerror='window.stolen = 2'><svg onload='window.stolen = 3'>"
    "</pre></details><a href='javascript:stolen'>x</a>\"'><style>body { display: none }</style>{{ 7 * 7 }}"
)


def test_markup_in_an_error_and_in_a_log_stays_text_and_no_script_runs(ledger, jobs, come):
    kim = come()
    dead = jobs[State.DEAD]
    ledger.sql(
        "UPDATE ledger.attempts SET message = :m, traceback = :m, log_tail = :m, error_class = :m, place = :m", m=MARKUP
    )
    failing = ledger.sql("SELECT fingerprint FROM ledger.jobs WHERE id = :id", id=dead)
    paths = ("/", "/failures", f"/failures/{failing}", f"/operations/new?action=retry&failing={failing}")
    for path in (*paths, f"/jobs/{dead}/edit", f"/jobs/{dead}"):
        kim.page.goto(path)
        expect(kim.page.locator("main")).to_contain_text("<script>window.stolen = 1</script>")
        assert kim.page.evaluate("window.stolen") is None, path
        assert kim.page.locator("main img, main script, main style, main svg[onload]").count() == 0, path
        assert kim.page.locator("a[href^='javascript:']").count() == 0, path
    for summary in kim.page.locator("main summary").all():
        summary.click()
    assert kim.page.locator("pre").all_inner_texts() == [MARKUP, MARKUP]
    # The part that is asked for again goes through scripts of the page: it is no more trusted.
    with kim.page.expect_response(lambda answer: answer.request.headers.get("hx-request") == "true"):
        kim.page.goto("/failures")
    expect(kim.page.locator("main")).to_contain_text("<script>window.stolen = 1</script>")
    assert kim.page.evaluate("window.stolen") is None
    assert kim.page.locator("main img, main script, main style").count() == 0
    assert kim.complaints == []
