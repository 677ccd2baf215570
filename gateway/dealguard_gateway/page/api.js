/** Requests to the gateway: who is logged in is a cookie, so no module of the page ever holds a token. */

// A connection can die without a word: a reading that takes so long is given up, and comes again.
const READ_SECONDS = 15;

/** What the gateway said in the form of RFC 9457, or that it said nothing (`status` 0). */
export class Problem extends Error {
  /** @param {{status: number, word?: string, detail?: string, retryAfter?: number}} of */
  constructor({ status, word = "", detail = "", retryAfter = 0 }) {
    super(detail || word || `status ${status}`);
    this.status = status;
    this.word = word;
    this.detail = detail;
    this.retryAfterSeconds = retryAfter;
  }

  /** Whether the same request may succeed later without anybody doing anything. */
  get passes() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** Asks the person to log in and resolves when they have; set by the session. @type {() => Promise<void>} */
let logIn = () => Promise.reject(new Problem({ status: 401 }));

/** @param {() => Promise<void>} how */
export function onLoginNeeded(how) {
  logIn = how;
}

/** For what is read by others than `request`, such as PDF.js. */
export function logInAgain() {
  return logIn();
}

/** What listens to whether the gateway answers. @type {Set<(answered: boolean) => void>} */
const listeners = new Set();

/** @param {(answered: boolean) => void} listener */
export function onAnswer(listener) {
  listeners.add(listener);
}

let skewMs = 0;

/** The server's clock, so that elapsed times are right on a computer whose own clock is not. */
export function serverNow() {
  return Date.now() + skewMs;
}

function learnTime(date) {
  const sent = Date.parse(date ?? "");
  // A header has whole seconds: below two of them there is nothing to correct.
  if (!Number.isNaN(sent)) skewMs = Math.abs(sent - Date.now()) > 2000 ? sent - Date.now() : 0;
}

/** @param {number} status @param {string} text @param {string|null} retryAfter */
export function problemOf(status, text, retryAfter) {
  let body = {};
  try {
    body = JSON.parse(text) ?? {};
  } catch {
    // A proxy on the way speaks HTML: the status has to do.
  }
  const word = typeof body.type === "string" ? body.type.replace("urn:dealguard:problem:", "") : "";
  const detail = typeof body.detail === "string" ? body.detail : "";
  return new Problem({ status, word, detail, retryAfter: Number(retryAfter) || 0 });
}

/**
 * One request. A session that has ended is renewed by the person first, then the request goes on.
 * @param {string} path
 * @param {{method?: string, json?: unknown, headers?: Record<string, string>, anonymous?: boolean, seconds?: number}} [options]
 *   `seconds`: how long a reading may take, with its body.
 * @returns {Promise<Response>} 2xx or 304.
 */
export async function request(path, { method = "GET", json, headers = {}, anonymous = false, seconds = READ_SECONDS } = {}) {
  const signal = method === "GET" ? AbortSignal.timeout(seconds * 1000) : null;
  const init = { method, signal, credentials: "same-origin", headers: { Accept: "application/json", ...headers } };
  if (method !== "GET") init.headers["X-Requested-With"] = "dealguard";
  if (json !== undefined) {
    init.headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(json);
  }
  let response;
  try {
    response = await fetch(path, /** @type {RequestInit} */ (init));
  } catch {
    throw silence();
  }
  learnTime(response.headers.get("Date"));
  if (response.ok || response.status === 304) {
    told(true);
    return response;
  }
  const problem = problemOf(response.status, await response.text().catch(() => ""), response.headers.get("Retry-After"));
  told(![502, 503, 504].includes(problem.status));
  if (problem.status === 401 && !anonymous) {
    await logIn();
    return request(path, { method, json, headers, seconds });
  }
  throw problem;
}

function told(answered) {
  for (const listener of listeners) listener(answered);
}

function silence() {
  told(false);
  return new Problem({ status: 0 });
}

/** What an answer holds; one that breaks off on the way is none. @param {Response} response */
async function contentOf(response) {
  try {
    return await response.json();
  } catch {
    throw silence();
  }
}

/** @param {string} path @param {Parameters<typeof request>[1]} [options] */
export async function read(path, options) {
  return contentOf(await request(path, options));
}

/**
 * What has changed since the last time; null: nothing.
 * @param {string} path @param {{etag: string|null}} memory
 */
export async function readIfChanged(path, memory) {
  const response = await request(path, { headers: memory.etag ? { "If-None-Match": memory.etag } : {} });
  if (response.status === 304) return null;
  const content = await contentOf(response);
  // Not before it is there: else the next answer would be that nothing has changed.
  memory.etag = response.headers.get("ETag");
  return content;
}

/** @param {string} id @param {string} [rest] */
export function contractPath(id, rest = "") {
  return `/contracts/${encodeURIComponent(id)}${rest}`;
}

export const act = {
  cancel: (id) => read(contractPath(id, "/cancel"), { method: "POST" }),
  rerun: (id) => read(contractPath(id, "/rerun"), { method: "POST" }),
  erase: (id) => read(contractPath(id), { method: "DELETE" }),
};
