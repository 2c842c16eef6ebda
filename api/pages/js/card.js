/** What the cards of a patient share: the frame, reading anew, refusals in the server's words, times. */

import { h, icon, lang, Refused, shortClock, t } from "./page.js";

/** A card with a heading; `fill(body, aside)` reads and draws it, and `again()` does so anew. */
export function card(name, title, fill) {
  const aside = h("div.card__aside");
  const body = h("div.card__body");
  const node = h(`section.card.card--${name}`, { "aria-labelledby": `${name}-title` }, h("header", h("h2", { id: `${name}-title` }, title), aside), body);
  const again = async () => {
    try {
      await fill({ body, aside, again });
    } catch (error) {
      if (!(error instanceof Refused) && !(error instanceof TypeError)) throw error;
      body.replaceChildren(refused(error), h("div.card__foot", button(t("card.again"), again)));
    }
  };
  body.append(h("p.card__line.muted", t("card.loading")));
  again();
  return node;
}

export const button = (text, onclick, kind = "", more = {}) => h(`button.btn${kind}`, { type: "button", onclick, ...more }, text);

/** Why something was not done: the server's own sentence, which is English. */
export function refused(error) {
  const why = error instanceof Refused ? h("span", { lang: "en" }, error.message) : t("card.unsent");
  return h("p.refused", { role: "alert" }, icon("warn"), h("span", `${t("card.refused")} `, why));
}

/** Send a command; `say` is where a refusal is shown. True: it was done. */
export async function told(say, send) {
  try {
    await send();
  } catch (error) {
    if (!(error instanceof Refused) && !(error instanceof TypeError)) throw error;
    say.replaceChildren(refused(error));
    return false;
  }
  say.replaceChildren();
  return true;
}

const locale = lang === "zh" ? "zh-CN" : "en-GB";
const WEEKDAY = new Intl.DateTimeFormat(locale, { weekday: "short" });
const DAY = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" });
const DAY_OF_YEAR = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", year: "numeric" });

/** 3 Nov; with the year where it is another one. */
export const day = (at) => (new Date(at).getFullYear() === new Date().getFullYear() ? DAY : DAY_OF_YEAR).format(new Date(at));

/** today 05:52, Sun 20:00, 12 Nov 03:17 */
export function when(at) {
  const then = new Date(at);
  const apart = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86_400_000);
  const which = apart === 0 ? t("card.today") : apart > 0 && apart < 7 ? WEEKDAY.format(then) : day(then);
  return `${which} ${shortClock(then)}`;
}

/** What a field of date and time holds, in the browser's own zone. */
export const local = (at) => new Date(new Date(at).getTime() - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);

/** A label above a field; `hint` below it is read with it. */
export function field(id, label, input, hint) {
  input.id = id;
  if (hint) input.setAttribute("aria-describedby", `${id}-hint`);
  return h("div.field", h("label", { for: id }, label), input, hint ? h("small", { id: `${id}-hint` }, hint) : "");
}
