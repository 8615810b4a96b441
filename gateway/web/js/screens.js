/** What she sees and reads: elements only, no rules. Every text comes from the messages. */

/** @typedef {import("./messages.js").Messages} Messages */

/**
 * @param {string} tag
 * @param {Record<string, string | EventListener>} [attributes] `onclick` and its like are listeners
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "string") made.setAttribute(name, value);
    else made.addEventListener(name.slice(2), value);
  }
  made.append(...children);
  return made;
}

/** A button of the second rank. @param {string} label @param {() => void} run */
export function button(label, run) {
  return element("button", { type: "button", class: "second", onclick: run }, label);
}

/** Write only what changed: a live region, or a reader's place in the text, is not disturbed. */
export function write(/** @type {HTMLElement} */ node, /** @type {string} */ text) {
  if (node.textContent !== text) node.textContent = text;
}

/** The page's main part: one screen at a time, its heading focused when it comes. */
export class Stage {
  #main;
  #appName;
  /** @type {HTMLElement | null} */ #screen = null;
  /** What stands before the screen, which goes on beneath it. @type {HTMLElement | null} */ #cover = null;

  /** @param {HTMLElement} main @param {string} appName */
  constructor(main, appName) {
    this.#main = main;
    this.#appName = appName;
  }

  /** @param {HTMLElement} screen with one h1 */
  show(screen) {
    this.#screen = screen;
    if (this.#cover === null) this.#put(screen);
  }

  /** @param {HTMLElement} screen with one h1 */
  cover(screen) {
    this.#cover = screen;
    this.#put(screen);
  }

  /** Back to what is beneath. False where there is nothing. */
  uncover() {
    this.#cover = null;
    if (this.#screen) this.#put(this.#screen);
    return this.#screen !== null;
  }

  /** Past what stands before it, to the heading. */
  focus() {
    this.#main.querySelector("h1")?.focus();
  }

  /** @param {HTMLElement} screen */
  #put(screen) {
    this.#main.replaceChildren(screen);
    const heading = /** @type {HTMLElement} */ (screen.querySelector("h1"));
    document.title = `${heading.textContent} · ${this.#appName}`;
    heading.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
}

/**
 * A sentence that says what to do, with at most one button.
 * @param {{ name: string, title: string, text: string,
 *   action?: { label: string, run: () => void } }} what `name` is what its messages begin with
 */
export function messageScreen({ name, title, text, action }) {
  const screen = element(
    "section",
    { class: "message", "data-screen": name },
    element("h1", { tabindex: "-1" }, title),
    element("p", {}, text),
  );
  if (action) {
    screen.append(
      element("button", { type: "button", class: "second", onclick: action.run }, action.label),
    );
  }
  return screen;
}

/**
 * @param {Messages} messages
 * @param {{ title: string, lines: string[], open: () => void }[]} tickets
 */
export function ticketsScreen(messages, tickets) {
  const item = (/** @type {typeof tickets[number]} */ { title, lines, open }) =>
    element(
      "li",
      {},
      element(
        "button",
        { type: "button", class: "card", onclick: open },
        element("strong", {}, title),
        ...lines.map((line) => element("span", {}, line)),
      ),
    );
  return element(
    "section",
    { class: "tickets" },
    element("h1", { tabindex: "-1" }, messages.text("tickets.title")),
    element("ul", { role: "list" }, ...tickets.map(item)),
  );
}

/**
 * @typedef {object} Showing what the ticket's screen says, all of it words
 * @property {string} title
 * @property {string | null} posterUrl
 * @property {[string, string][]} places names and values that need a whole line
 * @property {[string, string][]} facts short ones, side by side where there is room
 * @property {string} when
 */

/** One ticket and the one large button. */
export class TicketScreen {
  root;
  #messages;
  #title = element("h1", { tabindex: "-1" });
  #when = element("p", { class: "when" });
  #poster = element("div", { class: "poster" });
  #facts = element("dl", { class: "facts" });
  #status = element("p", { class: "status", id: "status" });
  #button;
  #sync = element("ul", { role: "list" });
  #action;
  #posterUrl = "";
  #factsText = "";

  /** @param {Messages} messages @param {{ onPress: () => void, onSyncOpen: () => void }} handlers */
  constructor(messages, { onPress, onSyncOpen }) {
    this.#messages = messages;
    this.#button = element("button", {
      type: "button",
      class: "listen",
      "aria-describedby": "status",
      onclick: onPress,
    });
    const sync = /** @type {HTMLDetailsElement} */ (
      element(
        "details",
        { class: "sync" },
        element("summary", {}, messages.text("sync.summary")),
        this.#sync,
      )
    );
    sync.addEventListener("toggle", () => sync.open && onSyncOpen());
    this.#action = element("div", { class: "action" }, this.#status, this.#button);
    this.root = element(
      "article",
      { class: "ticket" },
      element(
        "header",
        {},
        this.#poster,
        element("div", { class: "names" }, this.#title, this.#when),
      ),
      this.#facts,
      this.#action,
      sync,
    );
  }

  /** What matters most of what stands below the button. @param {HTMLElement} part */
  putFirst(part) {
    this.#action.after(part);
  }

  /** @param {Showing} showing */
  describe({ title, posterUrl, places, facts, when }) {
    write(this.#title, title);
    write(this.#when, when);
    if (posterUrl && posterUrl !== this.#posterUrl) {
      this.#posterUrl = posterUrl;
      const image = element("img", {
        src: posterUrl,
        alt: this.#messages.text("ticket.poster", { title }),
        width: "200",
        height: "300",
      });
      // A poster that does not come leaves no broken frame behind.
      image.addEventListener("error", () => image.remove());
      this.#poster.replaceChildren(image);
    }
    const text = JSON.stringify([places, facts]);
    if (text !== this.#factsText) {
      this.#factsText = text;
      const pair = (/** @type {string} */ width) => (/** @type {[string, string]} */ [name, value]) =>
        element("div", { class: width }, element("dt", {}, name), element("dd", {}, value));
      this.#facts.replaceChildren(...places.map(pair("wide")), ...facts.map(pair("narrow")));
    }
  }

  /** @param {{ status: string, listening: boolean, sounding: boolean }} state */
  say({ status, listening, sounding }) {
    write(this.#status, status);
    write(this.#button, this.#messages.text(listening ? "button.stop" : "button.listen"));
    this.root.classList.toggle("listening", listening);
    this.root.classList.toggle("sounding", sounding);
  }

  /** @param {string[]} lines */
  measure(lines) {
    if (lines.join("\n") === this.#sync.dataset.text) return;
    this.#sync.dataset.text = lines.join("\n");
    this.#sync.replaceChildren(...lines.map((line) => element("li", {}, line)));
  }
}
