/** Which language is spoken: the app's and the description's, each as she chose or as the phone is. Pure. */

/** Hers, where she chose one in the settings; else the phone's. */
export const APP_KEY = "tell.language";
export const DESCRIPTION_KEY = "tell.description-language";

/** Languages that are written from right to left (Unicode CLDR, by their usual script). */
const RIGHT_TO_LEFT = ["ar", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"];

/**
 * The first of *wanted* that is offered, by looking up ever shorter tags (RFC 4647 3.4), and then
 * by the language alone: "es-419" finds "es-MX". Null where none is.
 * @param {readonly string[]} offered BCP 47 @param {readonly string[]} wanted the dearest first
 * @returns {string | null} as it is offered
 */
export function match(offered, wanted) {
  const same = (/** @type {string} */ one, /** @type {string} */ other) =>
    one.toLowerCase() === other.toLowerCase();
  for (const tag of wanted) {
    for (let parts = tag.split("-"); parts.length > 0; parts = parts.slice(0, -1)) {
      const found = offered.find((one) => same(one, parts.join("-")));
      if (found) return found;
    }
    const cousin = offered.find((one) => same(primary(one), primary(tag)));
    if (cousin) return cousin;
  }
  return null;
}

/**
 * The tag to speak in: among the phone's own tags the first of a language that is offered, since
 * it knows the region and so how times are written.
 * @param {readonly string[]} offered languages without a region
 * @param {string | null} chosen hers @param {readonly string[]} phone the phone's
 */
export function localeOf(offered, chosen, phone) {
  if (chosen && offered.includes(chosen)) {
    return phone.find((tag) => primary(tag) === chosen) ?? chosen;
  }
  return phone.find((tag) => offered.includes(primary(tag))) ?? offered[0];
}

/** @param {string} tag BCP 47 @returns {string} its language alone */
export function primary(tag) {
  return tag.split("-")[0].toLowerCase();
}

/** @param {string} tag BCP 47 @returns {"ltr" | "rtl"} */
export function directionOf(tag) {
  return RIGHT_TO_LEFT.includes(primary(tag)) ? "rtl" : "ltr";
}
