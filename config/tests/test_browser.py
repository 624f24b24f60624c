"""Pages of the back office as a browser shows them: in both languages, light and dark, on a desk and on a phone."""

import pytest
from django.test import Client

from config.testing import make_action, make_customer
from config.tests.browser import MISSING, browser, installed
from config.tests.serving import served
from customers.services.activity import add_interaction
from customers.services.scoring import recompute

pytestmark = pytest.mark.skipif(not installed(), reason=MISSING)

# The pages by name; `{customer}` is an id. A page that is new is one line more.
PAGES = {
    "dashboard": "/admin/",
    "customers": "/admin/customers/customer/",
    "customer": "/admin/customers/customer/{customer}/change/",
    "new customer": "/admin/customers/customer/add/",
    "history": "/admin/customers/customer/{customer}/history/",
    "delete": "/admin/customers/customer/{customer}/delete/",
    "one button": "/admin/customers/customer/{customer}/do/assign/",
    "own password": "/admin/password_change/",
    "sign in": "/admin/login/",
    "actions": "/admin/actions/customeraction/",
    "action": "/admin/actions/customeraction/{action}/change/",
    "imports": "/admin/customers/transfer/",
    "new import": "/admin/customers/transfer/add/",
}
LOOKS = [(width, dark) for width in (1366, 390) for dark in (False, True)]
DIRECTIONS = {"ar": "rtl", "en": "ltr"}

# What stands on the page for people to read, but for what is said to be in English or to run from left to right, and
# for the names of formats.
LATIN_WORDS = """(() => {
  const found = [];
  const isData = element => element.closest('[lang=en], [dir=ltr], script, style, title');
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    if (!isData(walker.currentNode.parentElement)) found.push(walker.currentNode.data);
  }
  for (const element of document.body.querySelectorAll('[title], [placeholder], [aria-label], input[type=submit]')) {
    if (isData(element)) continue;
    found.push(...['title', 'placeholder', 'aria-label'].map(name => element.getAttribute(name) || ''));
    if (element.type === 'submit') found.push(element.value);
  }
  const isLatin = text => /[A-Za-z]{2}/.test(text.replace(/CSV|Excel|xlsx/g, ''));
  return [document.title, ...found].filter(isLatin).map(text => text.trim());
})()"""

# Phones whose first character does not stand left of their last.
TURNED_PHONES = """(() => {
  const turned = [], place = document.createRange();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const leftOf = (node, index) => {
    place.setStart(node, index);
    place.setEnd(node, index + 1);
    return place.getBoundingClientRect().left;
  };
  let count = 0;
  while (walker.nextNode()) {
    const node = walker.currentNode, phone = /\\+9665[0-9]{8}/.exec(node.data);
    if (!phone) continue;
    count += 1;
    if (leftOf(node, phone.index) >= leftOf(node, phone.index + 12)) turned.push(phone[0]);
  }
  for (const field of document.querySelectorAll('#id_phone, #id_whatsapp, #id_email, #id_username')) {
    count += 1;
    if (getComputedStyle(field).direction !== 'ltr') turned.push(field.id);
  }
  return {count, turned};
})()"""

# What sticks out of the window, to name it when the page is too wide.
TOO_WIDE = """(() => {
  const {scrollWidth, clientWidth} = document.documentElement;
  if (scrollWidth <= clientWidth) return [];
  return [...document.querySelectorAll('body *')].filter(element => {
    const {left, right, width} = element.getBoundingClientRect();
    return width && (left < -1 || right > clientWidth + 1);
  }).map(element => `${element.tagName}.${element.className}#${element.id}`);
})()"""

# Of each text its colour and what lies behind it, as `[text, [r, g, b], [r, g, b], pixels]`.
COLOURS = """(() => {
  document.getAnimations().forEach(animation => animation.finish());
  const parse = colour => colour.match(/[0-9.]+/g).map(Number);
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0.99) return colour.slice(0, 3);
    }
    return parse(getComputedStyle(document.documentElement).colorScheme === 'dark' ? '0 0 0' : '255 255 255');
  };
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, style = getComputedStyle(element);
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    if (element.closest('.visually-hidden, script, select, :disabled, .skip-to-content-link')) continue;
    const text = walker.currentNode.data.trim(), colour = parse(style.color).slice(0, 3);
    found.push([text, colour, behind(element), parse(style.fontSize)[0]]);
  }
  return found;
})()"""


@pytest.fixture
def places(transactional_db, layla, fatima, ahmed):
    """Data without a Latin letter, and the ids that the addresses of PAGES name."""
    for person, name in ((layla, "ليلى العتيبي"), (fatima, "فاطمة الزهراني"), (ahmed, "أحمد الغامدي")):
        person.name = name
        person.save()
    for stage in ("new_lead", "site_visit", "closing"):
        customer = make_customer(fatima, name="سارة بنت عبدالعزيز الحربي", stage=stage, assigned_employee_id=ahmed.pk)
        action = make_action(fatima, customer)
    add_interaction(customer, actor=fatima, values={"type": "call", "direction": "outbound", "notes": "لم يرد"})
    recompute(customer.organization, [customer.pk])
    return {"customer": customer.pk, "action": action.pk}


@pytest.fixture
def pages(places, fatima):
    """`open(name, language)` opens a page, signed in as a manager: in a browser, of a web process of its own."""
    session = Client()
    session.force_login(fatima)
    with served(HUB_RATE_LIMITS="off") as server, browser() as chromium, chromium.page() as page:
        url = f"http://127.0.0.1:{server.port}"

        def open_page(name, language):
            page.send("Network.clearBrowserCookies")
            page.set_cookie(f"{url}/admin/", "django_language", language)
            if name != "sign in":
                page.set_cookie(f"{url}/admin/", "sessionid", session.cookies["sessionid"].value)
            page.open(url + PAGES[name].format(**places))
            return page

        yield open_page


def contrast(one, other):
    """The ratio of two colours by the Web Content Accessibility Guidelines, from 1 to 21."""

    def light(colour):
        linear = [c / 3294.6 if c <= 10.31 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
        return sum(part * weight for part, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))

    brighter, darker = sorted((light(one), light(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def test_each_page_fits_its_window_in_both_languages_and_complains_of_nothing(pages):
    wrong, phones = [], 0
    for name in PAGES:
        for language, direction in DIRECTIONS.items():
            page = pages(name, language)
            root = page.evaluate("[document.documentElement.lang, document.documentElement.dir]")
            told = page.evaluate(TURNED_PHONES)
            phones += told["count"]
            found = {
                "language": [] if root == [language, direction] else root,
                "turned phones": told["turned"],
                "not in Arabic": page.evaluate(LATIN_WORDS) if language == "ar" else [],
            }
            for width, dark in LOOKS:
                page.look(width=width, dark=dark)
                found[f"too wide at {width}"] = page.evaluate(TOO_WIDE)
                pale = {
                    (text, tuple(colour), tuple(behind))
                    for text, colour, behind, pixels in page.evaluate(COLOURS)
                    if contrast(colour, behind) < (3 if pixels >= 24 else 4.5)
                }
                found[f"too pale {'in the dark' if dark else 'in the light'}"] = sorted(pale)[:5]
            found["complaints"] = page.complaints
            wrong += [f"{name} in {language}, {what}: {told}" for what, told in found.items() if told]
    assert not wrong, "\n".join(wrong)
    assert phones > 10
