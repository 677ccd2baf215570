/** Where the person is: the hash of the address, so that reloading, sharing and the back button work. */

/**
 * @typedef {{view: "list"|"contract", id: string|null, query: URLSearchParams}} Place
 */

/** @returns {Place} */
export function place() {
  const [path, query = ""] = location.hash.replace(/^#/, "").split("?");
  const match = /^\/contracts\/([^/]+)$/.exec(path);
  return { view: match ? "contract" : "list", id: match ? decode(match[1]) : null, query: new URLSearchParams(query) };
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** @param {string|null} id @param {URLSearchParams|Record<string, string>} [query] */
export function address(id, query = {}) {
  const parameters = new URLSearchParams(query).toString();
  return `#${id ? `/contracts/${encodeURIComponent(id)}` : "/"}${parameters ? `?${parameters}` : ""}`;
}

/** Change the query in place, without a step in the history. @param {Record<string, string|null>} changes */
export function remember(changes) {
  const { id, query } = place();
  for (const [name, value] of Object.entries(changes)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  history.replaceState(history.state, "", address(id, query));
}

/**
 * The token in a link of the form `#token=…`, which is nowhere to be seen afterwards; a fragment is never sent to a server.
 * @returns {string|null}
 */
export function takeToken() {
  const match = /^#token=(.+)$/.exec(location.hash);
  if (match) history.replaceState(null, "", location.pathname);
  return match ? match[1] : null;
}

/** @param {string} to */
export function go(to) {
  if (location.hash === to) return;
  location.hash = to;
}
