/**
 * Keeps a view up to date: server-sent events where they work, reading where they do not (every 3 s, or now and then
 * where all is finished), and a reading now and then beside events, because a connection can die without a word.
 */

import { Problem } from "./api.js";
import { backOffSeconds } from "./connection.js";

const POLL_SECONDS = 3;
// Events have heartbeats that a page cannot see: so long a silence is worth one cheap question (If-None-Match).
const CHECK_SECONDS = 15;
const HIDDEN_SECONDS = 30;
// A timer that comes so late tells that the computer slept.
const SLEPT_SECONDS = 20;
const TICK_SECONDS = 5;

/**
 * @typedef {object} Follow
 * @property {string[]} events Paths of the streams of events; empty: there are none.
 * @property {() => Promise<void>} read Reads the present state and shows it.
 * @property {() => boolean} unfinished Whether anything may still change by itself.
 * @property {(contract: object) => void} onContract
 * @property {(contract: object) => void} onDeleted
 * @property {boolean} [ends] Whether events too are of no use once all is finished.
 * @property {(problem: Problem) => void} onProblem What reading again will not heal.
 */

export class Live {
  /** @param {Follow} follow */
  constructor(follow) {
    this.follow = follow;
    this.stopped = true;
    this.readFailures = 0;
    this.eventFailures = 0;
    /** @type {Map<EventSource, boolean>} Whether each has spoken. */
    this.sources = new Map();
    this.ready = false;
    // When it last was known that what is shown is what there is.
    this.newsMs = 0;
    this.wake = () => this.refresh();
    this.visibility = () => (document.hidden ? this.#rest() : this.refresh());
  }

  start() {
    this.stopped = false;
    document.addEventListener("visibilitychange", this.visibility);
    window.addEventListener("online", this.wake);
    window.addEventListener("pageshow", this.wake);
    this.lastTick = Date.now();
    this.ticker = setInterval(() => this.#tick(), TICK_SECONDS * 1000);
    return this.refresh();
  }

  stop() {
    this.stopped = true;
    document.removeEventListener("visibilitychange", this.visibility);
    window.removeEventListener("online", this.wake);
    window.removeEventListener("pageshow", this.wake);
    clearInterval(this.ticker);
    clearTimeout(this.timer);
    clearTimeout(this.reopening);
    this.#close();
  }

  /** Read now, and listen again. */
  async refresh() {
    if (this.stopped) return;
    this.lastTick = Date.now();
    this.eventFailures = 0;
    clearTimeout(this.reopening);
    await this.#read();
    this.#open();
  }

  #tick() {
    const slept = Date.now() - this.lastTick > (TICK_SECONDS + SLEPT_SECONDS) * 1000;
    this.lastTick = Date.now();
    if (slept && !document.hidden) {
      this.#close();
      this.refresh();
    }
  }

  #rest() {
    this.#close();
    this.#schedule();
  }

  async #read() {
    clearTimeout(this.timer);
    // One reading at a time: a second one that is asked for meanwhile follows it.
    if (this.reading) {
      this.again = true;
      return this.reading;
    }
    this.reading = this.#readOnce();
    try {
      await this.reading;
    } finally {
      this.reading = null;
      this.newsMs = performance.now();
      this.#schedule();
    }
    if (this.again) {
      this.again = false;
      await this.#read();
    }
  }

  async #readOnce() {
    try {
      await this.follow.read();
      this.readFailures = 0;
      this.ready = true;
    } catch (error) {
      if (this.stopped) return;
      if (!(error instanceof Problem)) throw error;
      this.readFailures += 1;
      if (!error.passes) {
        this.stop();
        this.follow.onProblem(error);
      }
    }
  }

  #schedule() {
    clearTimeout(this.timer);
    if (this.stopped) return;
    const seconds = this.#secondsToNextReading();
    if (seconds === null) return;
    const passedMs = performance.now() - this.newsMs;
    this.timer = setTimeout(() => this.#read(), Math.max(0, seconds * 1000 - passedMs));
  }

  #secondsToNextReading() {
    if (this.readFailures) return backOffSeconds(this.readFailures);
    if (this.follow.unfinished()) {
      if (document.hidden) return HIDDEN_SECONDS;
      return this.#trusted() ? CHECK_SECONDS : POLL_SECONDS;
    }
    // What others add is told by events that speak, and by nobody where there are none.
    return this.follow.ends || document.hidden || this.#trusted() ? null : CHECK_SECONDS;
  }

  /** Only words prove that nothing on the way holds events back; an open connection does not. */
  #trusted() {
    return this.sources.size > 0 && [...this.sources.values()].every(Boolean);
  }

  #open() {
    if (this.sources.size || this.stopped || document.hidden || !this.ready) return;
    if (this.follow.ends && !this.follow.unfinished()) return;
    for (const path of this.follow.events) this.#listen(new EventSource(path));
  }

  /** @param {EventSource} source */
  #listen(source) {
    this.sources.set(source, false);
    const on = (kind, act) =>
      source.addEventListener(kind, (event) => {
        if (!this.sources.has(source)) return;
        this.sources.set(source, true);
        this.eventFailures = 0;
        act(JSON.parse(/** @type {MessageEvent} */ (event).data));
        if (this.follow.ends && !this.follow.unfinished()) this.#close();
        // The words of one stream say nothing of another, which may be held back: they put no reading off.
        if (this.#trusted()) this.newsMs = performance.now();
        this.#schedule();
      });
    on("sync", () => this.#read());
    on("contract", this.follow.onContract);
    on("deleted", this.follow.onDeleted);
    source.addEventListener("error", () => this.#lost(source));
  }

  #lost(source) {
    if (!this.sources.has(source)) return;
    const wasTrusted = this.#trusted();
    this.#close();
    this.eventFailures += 1;
    // The server closes a stream after some minutes: the first time is no failure.
    const seconds = wasTrusted && this.eventFailures === 1 ? 0.5 : backOffSeconds(this.eventFailures);
    clearTimeout(this.reopening);
    this.reopening = setTimeout(() => this.#open(), seconds * 1000);
    // What happened in between is read now, and that also tells whether the gateway is there at all.
    // One that never spoke has changed nothing: the next reading stays where it is.
    if (wasTrusted) this.#read();
  }

  #close() {
    for (const source of this.sources.keys()) source.close();
    this.sources.clear();
  }
}
