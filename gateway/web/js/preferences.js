/** What she can set, in the order of the settings' screen. A new setting is one entry here. */

import { Adjustments } from "./adjustments.js";
import { dataUse, DATA_USE_KEY } from "./device.js";
import { Earphone } from "./earphone.js";
import { Erasing } from "./erasing.js";
import { APP_KEY, DESCRIPTION_KEY, match } from "./languages.js";
import { LANGUAGES } from "./messages.js";
import { currentOutput, watchOutputs } from "./outputs.js";
import { reporting } from "./reports.js";
import { Stored } from "./stored.js";

/** As the phone is; it is kept by keeping nothing. */
const PHONE = "";

/**
 * @typedef {object} Parts
 * @property {import("./messages.js").Messages} messages
 * @property {import("./announcer.js").Announcer} announcer
 * @property {import("./kept.js").Memory} memory
 * @property {import("./kept.js").KeptApi} api
 * @property {import("./downloads.js").Downloads} downloads
 * @property {import("./adjustments.js").Adjustments | null} adjustments those of the ticket that is
 *   open, so that a trim is heard at once
 * @property {() => boolean} listening
 * @property {() => void} onAppLanguage
 * @property {() => void} onDescriptionLanguage
 * @property {(() => Promise<void>) | null} onErased null where Tell knows nothing of her
 */

/** @param {Parts} parts @returns {import("./settings.js").Section[]} */
export function sections(parts) {
  const { messages, announcer, memory, api, downloads, listening, onErased } = parts;
  const keep = (/** @type {string} */ key, /** @type {string} */ value) =>
    value === PHONE ? memory.remove(key) : memory.set(key, value);
  const phone = { value: PHONE, label: messages.text("settings.as-phone") };
  return [
    {
      title: "settings.languages",
      entries: [
        {
          kind: "choice",
          name: "description-language",
          title: "settings.description-language",
          note: "settings.description-language-note",
          options: () => [phone, ...spoken(messages, api.keptLanguages(), memory)],
          read: () => memory.get(DESCRIPTION_KEY) ?? PHONE,
          write: (tag) => {
            keep(DESCRIPTION_KEY, tag);
            parts.onDescriptionLanguage();
          },
        },
        {
          kind: "choice",
          name: "app-language",
          title: "settings.app-language",
          options: () => [
            phone,
            ...LANGUAGES.map((tag) => ({ value: tag, label: ownName(tag), lang: tag })),
          ],
          read: () => memory.get(APP_KEY) ?? PHONE,
          write: (tag) => {
            keep(APP_KEY, tag);
            parts.onAppLanguage();
          },
        },
      ],
    },
    {
      title: "settings.sound",
      entries: [{ kind: "part", part: earphone(parts) }],
    },
    {
      title: "settings.downloads",
      entries: [
        {
          kind: "choice",
          name: "data-use",
          title: "settings.data-use",
          note: "settings.data-use-note",
          options: () =>
            ["auto", "sparing", "never"].map((value) => ({
              value,
              label: messages.text(`settings.data-${value}`),
            })),
          read: () => dataUse(memory),
          write: (value) => {
            memory.set(DATA_USE_KEY, value);
            downloads.rethink();
          },
        },
        { kind: "part", part: new Stored({ messages, announcer, downloads, api }) },
      ],
    },
    {
      title: "settings.privacy",
      entries: [
        {
          kind: "switch",
          name: "reports",
          title: "reports.switch",
          note: "reports.why",
          read: () => reporting.read(memory),
          write: (on) => reporting.write(memory, on),
        },
        ...(onErased
          ? [
              /** @type {const} */ ({
                kind: "part",
                part: new Erasing({ messages, announcer, api, onErased }),
              }),
            ]
          : []),
      ],
    },
  ];

  /** For the earphone in use, whatever ticket is open. */
  function earphone(/** @type {Parts} */ { adjustments }) {
    const own = adjustments ?? new Adjustments({
      memory, ticketId: "", currentOutput, watchOutputs, onChange: () => {},
    });
    const part = new Earphone({
      messages, announcer, adjustments: own, mayCalibrate: () => !listening(),
    });
    const close = () => {
      part.close();
      if (own !== adjustments) own.close();
    };
    return { root: part.root, close };
  }
}

/**
 * The languages to choose among: what her films offer, and what she chose though none does now.
 * @param {import("./messages.js").Messages} messages @param {string[]} offered
 * @param {import("./kept.js").Memory} memory
 */
function spoken(messages, offered, memory) {
  const chosen = memory.get(DESCRIPTION_KEY);
  const all = chosen && !match(offered, [chosen]) ? [...offered, chosen] : offered;
  return all.map((tag) => ({ value: tag, label: messages.language(tag) }));
}

/** A language as those who speak it call it. @param {string} tag */
function ownName(tag) {
  const name = new Intl.DisplayNames(tag, { type: "language" }).of(tag) ?? tag;
  return name[0].toLocaleUpperCase(tag) + name.slice(1);
}
