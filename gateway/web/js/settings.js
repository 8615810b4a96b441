/** The settings' screen: sections of choices, switches, and parts that stand for themselves. */

import { element } from "./screens.js";

/**
 * @typedef {import("./messages.js").Messages} Messages
 *
 * @typedef {object} Choice one of several; a setting is one such entry
 * @property {"choice"} kind
 * @property {string} name tells its fields from others'
 * @property {string} title key of the message
 * @property {string} [note] key of the message below it
 * @property {() => Option[]} options
 * @property {() => string} read
 * @property {(value: string) => void} write
 *
 * @typedef {object} Option
 * @property {string} value
 * @property {string} label words
 * @property {string} [lang] where the label is in another language (WCAG 3.1.2)
 *
 * @typedef {object} Switch on or off
 * @property {"switch"} kind
 * @property {string} name
 * @property {string} title
 * @property {string} [note]
 * @property {() => boolean} read
 * @property {(on: boolean) => void} write
 *
 * @typedef {object} Part what is more than a choice
 * @property {"part"} kind
 * @property {{ root: HTMLElement, close(): void }} part
 *
 * @typedef {Choice | Switch | Part} Entry
 * @typedef {{ title: string, entries: Entry[] }} Section `title` is the key of its heading
 */

export class Settings {
  root;
  #sections;

  /** @param {Messages} messages @param {Section[]} sections */
  constructor(messages, sections) {
    this.#sections = sections;
    this.root = element(
      "div",
      { class: "settings" },
      element("h1", { tabindex: "-1" }, messages.text("settings.title")),
      ...sections.map(({ title, entries }) =>
        element(
          "section",
          {},
          element("h2", {}, messages.text(title)),
          ...entries.map((entry) => shown(messages, entry)),
        ),
      ),
    );
  }

  close() {
    for (const { entries } of this.#sections) {
      for (const entry of entries) if (entry.kind === "part") entry.part.close();
    }
  }
}

/** @param {Messages} messages @param {Entry} entry */
function shown(messages, entry) {
  if (entry.kind === "part") return entry.part.root;
  return entry.kind === "choice" ? choice(messages, entry) : toggle(messages, entry);
}

/** @param {Messages} messages @param {Choice} entry */
function choice(messages, { name, title, note, options, read, write }) {
  const now = read();
  const field = ({ value, label, lang }) => {
    const input = element("input", {
      type: "radio",
      name,
      value,
      onchange: () => write(value),
    });
    /** @type {HTMLInputElement} */ (input).checked = value === now;
    return element("label", { class: "option" }, input, element("span", lang ? { lang } : {}, label));
  };
  const root = element(
    "fieldset",
    {},
    element("legend", {}, messages.text(title)),
    ...options().map(field),
  );
  if (note) describe(root, name, messages.text(note));
  return root;
}

/** @param {Messages} messages @param {Switch} entry */
function toggle(messages, { name, title, note, read, write }) {
  const input = /** @type {HTMLInputElement} */ (
    element("input", {
      type: "checkbox",
      role: "switch",
      name,
      onchange: () => write(input.checked),
    })
  );
  input.checked = read();
  const root = element("div", { class: "entry" });
  root.append(element("label", { class: "option" }, input, element("span", {}, messages.text(title))));
  if (note) describe(input, name, messages.text(note), root);
  return root;
}

/** @param {HTMLElement} described @param {string} name @param {string} text @param {HTMLElement} [into] */
function describe(described, name, text, into = described) {
  const id = `about-${name}`;
  described.setAttribute("aria-describedby", id);
  into.append(element("p", { id, class: "note" }, text));
}
