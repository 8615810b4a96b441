/**
 * Keeps the operator's page as it is now, by GET /ops/events.
 *
 * The server writes each section; what is new in it is put into what is there, element by element,
 * so that focus, a screen reader's place and a selection stay. Nothing is read out but a new alarm.
 */

const announcer = /** @type {HTMLElement} */ (document.querySelector("#announcer"));
const taken = /** @type {HTMLElement} */ (document.querySelector("#taken"));
const alarms = /** @type {HTMLElement} */ (document.querySelector("#alarms"));

/** Sections that wait until the focus has left them. @type {Map<HTMLElement, Element>} */
const waiting = new Map();
let known = new Set(alarmTexts());

const stream = new EventSource("/ops/events");
stream.addEventListener("sections", (event) => {
  for (const [id, html] of Object.entries(JSON.parse(event.data))) {
    const section = document.getElementById(id);
    const fresh = new DOMParser().parseFromString(html, "text/html").body;
    if (section) renew(section, fresh);
  }
  sayNewAlarms();
});
stream.addEventListener("over", () => {
  stream.close();
  stopped("The session is over: load the page again to log in.");
});
stream.addEventListener("error", () => {
  const ended = stream.readyState === EventSource.CLOSED;
  stopped(ended ? "Not live: load the page again." : "Not live: connecting again.");
});

document.addEventListener("focusout", () => {
  // After the focus is where it goes.
  queueMicrotask(() => {
    for (const [section, fresh] of waiting) renew(section, fresh);
  });
});

/** @param {HTMLElement} section @param {Element} fresh */
function renew(section, fresh) {
  waiting.delete(section);
  if (!patched(section, fresh)) waiting.set(section, fresh);
}

/**
 * Make the children of *old* those of *fresh*. Where that would take the focused element away
 * nothing below it is changed, and false comes back.
 * @param {Element} old @param {Element} fresh @returns {boolean}
 */
function patched(old, fresh) {
  const before = [...old.childNodes];
  const after = [...fresh.childNodes];
  if (before.length !== after.length || !before.every((node, at) => alike(node, after[at]))) {
    if (old.contains(document.activeElement) && old !== document.activeElement) return false;
    old.replaceChildren(...after.map((node) => document.importNode(node, true)));
    return true;
  }
  let whole = true;
  before.forEach((node, at) => {
    const other = after[at];
    if (node instanceof Element && other instanceof Element) {
      for (const { name, value } of other.attributes) {
        if (node.getAttribute(name) !== value) node.setAttribute(name, value);
      }
      whole = patched(node, other) && whole;
    } else if (node.nodeValue !== other.nodeValue) {
      node.nodeValue = other.nodeValue;
    }
  });
  return whole;
}

/** @param {Node} one @param {Node} other */
function alike(one, other) {
  return one.nodeName === other.nodeName;
}

/** @param {string} why */
function stopped(why) {
  const said = document.createElement("strong");
  said.textContent = why;
  taken.replaceChildren(said);
}

function alarmTexts() {
  return [...alarms.querySelectorAll("li strong, li a")].map((each) => each.textContent ?? "");
}

function sayNewAlarms() {
  const now = alarmTexts();
  const fresh = now.filter((text) => !known.has(text));
  known = new Set(now);
  if (fresh.length) announcer.textContent = `New alarm: ${fresh.join(". ")}.`;
}
