// What every script of the pages needs: settings, words, elements, requests with the reader's key.

const KEY = "gis-key";

/** The JSON that the server put into the page. */
export function settingsOf(element) {
  return JSON.parse(element.textContent);
}

/** A speaker for one page's sentences; places in braces are filled. */
export function speaker(texts) {
  return (key, values = {}) => (texts[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** An element with attributes and children; text is never read as HTML. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(key, "");
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child != null && child !== ""));
  return element;
}

/** Numbers as the language writes them. */
export function formatter(lang, digits) {
  return new Intl.NumberFormat(lang, { maximumSignificantDigits: digits });
}

// The key lives in this tab alone: sessionStorage ends with it.
export const key = {
  get: () => sessionStorage.getItem(KEY),
  set: (value) => sessionStorage.setItem(KEY, value),
  forget: () => sessionStorage.removeItem(KEY),
};

/** With a key of the reader's own the browser must not put its login window before a refusal. */
export const credentials = () => (key.get() ? "omit" : "same-origin");

export function headers(more = {}) {
  const held = key.get();
  return held ? { ...more, "X-API-Key": held } : more;
}

/** The service's answer; throws an Error with its own sentence when it refuses. */
export async function request(address, options = {}) {
  const answer = await fetch(address, {
    ...options,
    credentials: credentials(),
    headers: headers({ Accept: "application/json, application/geo+json", ...options.headers }),
  });
  if (answer.ok) return answer;
  const body = await answer.json().catch(() => ({}));
  const detail = body.detail || body.description || body.title || `${answer.status} ${answer.statusText}`;
  throw Object.assign(new Error(detail), { status: answer.status });
}

export async function ask(address, options) {
  return (await request(address, options)).json();
}

/** An address with one parameter more. */
export function withParameter(address, name, value) {
  const url = new URL(address, location.href);
  url.searchParams.set(name, value);
  return url.href;
}
