/** Files on their way to the gateway: two at a time, each with its progress, and a second try where one makes sense. */

import { problemOf, readIfChanged } from "./api.js";
import { size, t } from "./i18n.js";
import { readSession, words } from "./session.js";

/** The states of what is still going to be sent. @type {Upload["state"][]} */
export const UNDER_WAY = ["unchecked", "waiting", "sending", "checking", "later"];
const AT_ONCE = 2;
const MOST_WAITS = 5;
const DEFAULT_WAIT_SECONDS = 5;
// Where PDF readers look for the signature.
const HEAD_BYTES = 1024;

/**
 * @typedef {object} Upload
 * @property {number} id
 * @property {File} file
 * @property {{organization: string, engine: string, language: string, perspective: string}} options
 * @property {number} maxBytes
 * @property {"unchecked"|"waiting"|"sending"|"checking"|"later"|"accepted"|"existed"|"failed"|"cancelled"} state
 * @property {number} percent
 * @property {string} words What there is to say beyond the state.
 * @property {boolean} retryable
 * @property {object|null} contract
 */

/** Emits `change` for an upload that changed and `accepted` for a contract that is there. */
export class Uploads extends EventTarget {
  constructor() {
    super();
    /** @type {Upload[]} */
    this.items = [];
    this.last = 0;
  }

  get busy() {
    return this.items.some((item) => UNDER_WAY.includes(item.state));
  }

  /**
   * @param {File[]} files @param {Upload["options"]} options @param {number} maxBytes
   * @returns {Promise<Upload[]>} One for each file, also for those that cannot be sent.
   */
  async add(files, options, maxBytes) {
    const added = files.map((file) => {
      this.last += 1;
      const blank = { percent: 0, words: "", retryable: false, contract: null, waits: 0 };
      return /** @type {Upload} */ ({ id: this.last, file, options, maxBytes, state: "unchecked", ...blank });
    });
    this.items.unshift(...added);
    for (const item of added) this.#change(item, {});
    for (const item of added) await this.#check(item);
    return added;
  }

  /** Look at a file before it is its turn. @param {Upload} item */
  async #check(item) {
    const wrong = await whatIsWrong(item.file, item.maxBytes);
    // Cancelled meanwhile.
    if (item.state !== "unchecked") return;
    this.#change(item, wrong ? { state: "failed", words: wrong } : { state: "waiting" });
    this.#next();
  }

  /** Nothing of it goes on, and nothing is left of it: who sent it is not who is here now. */
  stop() {
    const stopped = this.items;
    this.items = [];
    for (const item of stopped) {
      item.xhr?.abort();
      clearTimeout(item.timer);
      this.#change(item, { state: "cancelled" });
    }
  }

  /** @param {Upload} item */
  cancel(item) {
    item.xhr?.abort();
    clearTimeout(item.timer);
    this.#change(item, { state: "cancelled", words: "", retryable: true });
    this.#next();
  }

  /** @param {Upload} item */
  retry(item) {
    item.waits = 0;
    this.#change(item, { state: "unchecked", words: "", percent: 0, retryable: false });
    this.#check(item);
  }

  /** @param {Upload} item */
  remove(item) {
    this.items = this.items.filter((each) => each !== item);
    this.dispatchEvent(new CustomEvent("change", { detail: item }));
  }

  #next() {
    const sending = this.items.filter((item) => item.state === "sending" || item.state === "checking").length;
    const waiting = this.items.filter((item) => item.state === "waiting").sort((one, other) => one.id - other.id);
    for (const item of waiting.slice(0, Math.max(0, AT_ONCE - sending))) this.#send(item);
  }

  #send(item) {
    const { organization, ...fields } = item.options;
    const body = new FormData();
    // Before the file: the gateway reads a form as it comes.
    for (const [name, value] of Object.entries(fields)) if (value) body.append(name, value);
    body.append("file", item.file, item.file.name);
    const xhr = new XMLHttpRequest();
    item.xhr = xhr;
    xhr.open("POST", `/contracts?${new URLSearchParams({ organization })}`);
    xhr.setRequestHeader("X-Requested-With", "dealguard");
    xhr.setRequestHeader("Accept", "application/json");
    xhr.upload.addEventListener("progress", (event) => {
      if (item.state !== "sending") return;
      const percent = event.total ? Math.floor((event.loaded / event.total) * 100) : 0;
      this.#change(item, { percent, state: percent < 100 ? "sending" : "checking" });
    });
    xhr.addEventListener("load", () => this.#answered(item, xhr));
    xhr.addEventListener("error", () => this.#broken(item));
    this.#change(item, { state: "sending", percent: 0, words: "", retryable: false });
    xhr.send(body);
  }

  #answered(item, xhr) {
    if (xhr.status === 200 || xhr.status === 202) {
      const contract = JSON.parse(xhr.responseText);
      this.#change(item, { state: xhr.status === 202 ? "accepted" : "existed", contract });
      this.dispatchEvent(new CustomEvent("accepted", { detail: item }));
      this.#next();
      return;
    }
    this.#refused(item, problemOf(xhr.status, xhr.responseText, xhr.getResponseHeader("Retry-After")));
  }

  #refused(item, problem) {
    if (problem.status === 401) {
      this.#afterLogin(item);
      return;
    }
    if ((problem.status === 429 || problem.status === 503) && item.waits < MOST_WAITS) {
      item.waits += 1;
      this.#later(item, problem.retryAfterSeconds || DEFAULT_WAIT_SECONDS);
    } else {
      const said = problem.word === "forbidden" || problem.word === "cross-site-request" ? t("upload.forbidden") : words(problem);
      this.#change(item, { state: "failed", words: said, retryable: problem.passes });
    }
    this.#next();
  }

  #later(item, seconds) {
    this.#change(item, { state: "later", words: t("upload.later", { seconds }) });
    item.timer = setTimeout(() => {
      this.#change(item, { state: "waiting", words: "" });
      this.#next();
    }, seconds * 1000);
  }

  /** A server that refuses before it has read everything may close the connection before its words arrive. */
  async #broken(item) {
    const session = await readSession().catch(() => null);
    if (item.state === "cancelled") return;
    if (session && !session.user) {
      this.#afterLogin(item);
      return;
    }
    this.#change(item, { state: "failed", words: t("upload.lost"), retryable: true });
    this.#next();
  }

  async #afterLogin(item) {
    this.#change(item, { state: "waiting", words: "", percent: 0 });
    // Any request that needs a session asks the person for a new one.
    await readIfChanged("/organizations", { etag: null }).catch(() => null);
    this.#next();
  }

  #change(item, changes) {
    Object.assign(item, changes);
    this.dispatchEvent(new CustomEvent("change", { detail: item }));
  }
}

/** @param {File} file @param {number} maxBytes @returns {Promise<string|null>} Why it cannot be sent, in words. */
async function whatIsWrong(file, maxBytes) {
  if (!file.size) return t("upload.empty");
  if (file.size > maxBytes) return t("upload.tooLarge", { size: size(file.size), limit: size(maxBytes) });
  try {
    const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
    return new TextDecoder("latin1").decode(head).includes("%PDF-") ? null : t("upload.notPdf");
  } catch {
    // Moved or deleted since it was chosen, or a folder.
    return t("upload.unreadable");
  }
}
