/** All contracts that the person may see: searched, filtered, in order, and live. */

import { Problem, read } from "../api.js";
import { announce, h, icon, replace } from "../dom.js";
import { count, t } from "../i18n.js";
import { Live } from "../live.js";
import { remember } from "../router.js";
import { words } from "../session.js";
import { contractRow } from "./row.js";
import { field, fileName, isFinished, LEVELS, select, shortUser, startClocks } from "./parts.js";
import { UploadArea } from "./uploads.js";

const PAGE_SIZE = 50;
const MOST_AT_ONCE = 200;
// Browsers open six connections to a host; the page needs some for the rest.
const MOST_STREAMS = 3;
const TYPING_MS = 250;
const SETTLE_MS = 700;
const ORDERS = ["-createdAt", "createdAt", "-riskScore", "fileName"];
const RUNNING = ["pending", "processing"];
const FILTERS = ["q", "status", "risk", "order", "organization"];

export class ListView {
  constructor(context, where) {
    this.context = context;
    /** @type {Map<string, {contract: object, row: HTMLElement, shape: string}>} */
    this.shown = new Map();
    this.total = 0;
    this.next = null;
    this.ready = false;
    this.area = new UploadArea(context);
    this.query = queryOf(where);
    this.list = h("ul", { class: "rows", "aria-label": t("list.title") });
    this.summary = h("p", { class: "muted list-count", role: "status" });
    this.foot = h("div", { class: "list-foot" });
    this.filters = h("form", { class: "filters", role: "search", onsubmit: (event) => event.preventDefault() });
    this.element = this.#layout();
    this.accepted = (event) => this.#put(event.detail.contract, { isNew: true });
    this.live = null;
  }

  #layout() {
    const { session } = this.context;
    const none = !session.organizations.length;
    return h(
      "main",
      { id: "content", class: "list-view", tabindex: "-1" },
      h("h1", { class: "visually-hidden" }, t("list.title")),
      none && h("div", { class: "card empty" }, h("h2", {}, t("list.noOrganization")), h("p", {}, t("list.noOrganizationText", { user: shortUser(session.user) }))),
      this.area.places.length > 0 && this.area.element,
      !none && h("section", { class: "list", "aria-labelledby": "list-title" },
        h("div", { class: "list-head" }, h("h2", { id: "list-title" }, t("list.title")), this.summary),
        this.filters, this.list, this.foot),
    );
  }

  /** @param {import("../router.js").Place} where */
  show(where) {
    document.title = `${t("list.title")} · DealGuard`;
    const query = queryOf(where);
    const changed = FILTERS.some((key) => query[key] !== this.query[key]);
    this.query = query;
    if (this.live && !changed) return;
    this.#filters();
    if (!this.live) {
      if (this.area.places.length) this.area.start();
      this.context.uploads.addEventListener("accepted", this.accepted);
      this.stopClocks = startClocks(this.element);
    }
    this.#restart();
  }

  stop() {
    this.area.stop();
    this.context.uploads.removeEventListener("accepted", this.accepted);
    this.live?.stop();
    this.stopClocks?.();
    clearTimeout(this.settling);
    clearTimeout(this.typing);
  }

  #restart() {
    this.live?.stop();
    if (!this.context.session.organizations.length) return;
    this.wanted = PAGE_SIZE;
    const { organization } = this.query;
    const organizations = organization ? [organization] : this.context.session.organizations.map((each) => each.name);
    const live = new Live({
      events: organizations.length > MOST_STREAMS ? [] : organizations.map((each) => `/events?${new URLSearchParams({ organization: each })}`),
      read: () => this.#read(live),
      unfinished: () => [...this.shown.values()].some(({ contract }) => !isFinished(contract)),
      onContract: (contract) => this.#put(contract),
      onDeleted: (contract) => this.#remove(contract.id),
      onProblem: (problem) => this.#failed(problem),
    });
    this.live = live;
    if (!this.ready) replace(this.foot, h("p", { class: "muted loading" }, t("app.loading")));
    live.start();
  }

  #path(limit) {
    const { q, status, risk, order, organization } = this.query;
    const parameters = new URLSearchParams({ order, limit: String(limit) });
    if (q) parameters.set("q", q);
    if (risk) parameters.set("risk", risk);
    if (organization) parameters.set("organization", organization);
    for (const each of status === "running" ? RUNNING : status ? [status] : []) parameters.append("status", each);
    return `/contracts?${parameters}`;
  }

  /** Everything that is shown, anew, in its order. */
  async #read(live) {
    const contracts = [];
    let path = this.#path(Math.min(this.wanted, MOST_AT_ONCE));
    let page;
    do {
      page = await read(path);
      contracts.push(...page.items);
      path = page.next;
    } while (path && contracts.length < this.wanted);
    // Another question has been asked meanwhile.
    if (live !== this.live) return;
    this.total = page.total;
    this.next = page.next;
    this.ready = true;
    const ids = new Set(contracts.map((contract) => contract.id));
    for (const id of this.shown.keys()) if (!ids.has(id)) this.#drop(id);
    contracts.forEach((contract, index) => {
      const { row } = this.#row(contract);
      if (this.list.children[index] !== row) this.list.insertBefore(row, this.list.children[index] ?? null);
    });
    this.#foot();
  }

  /** A row for the contract, the one it has if it has one. */
  #row(contract) {
    const shape = JSON.stringify(contract);
    const there = this.shown.get(contract.id);
    if (there?.shape === shape) return there;
    if (there && !isFinished(there.contract) && isFinished(contract)) {
      const done = contract.status === "completed" ? "contract.announceDone" : "contract.announceFailed";
      if (contract.status !== "cancelled") announce(t(done, { file: fileName(contract) }));
    }
    const row = there?.row ?? h("li", { class: "row" });
    const focused = row.contains(document.activeElement);
    const several = this.context.session.organizations.length > 1 && !this.query.organization;
    replace(row, contractRow(contract, several));
    if (focused) row.querySelector("a")?.focus({ preventScroll: true });
    const entry = { contract, row, shape };
    this.shown.set(contract.id, entry);
    return entry;
  }

  #put(contract, { isNew = false } = {}) {
    if (!contract || !this.ready) return;
    if (this.query.organization && contract.organization !== this.query.organization) return;
    const there = this.shown.get(contract.id);
    if (there) this.#row(contract);
    else if (this.#plain() && this.query.order === "-createdAt") {
      const first = this.list.firstElementChild;
      const newest = [...this.shown.values()].find(({ row }) => row === first)?.contract.createdAt;
      if (!isNew && newest && contract.createdAt < newest) return this.#readSoon();
      this.list.prepend(this.#row(contract).row);
      this.total += 1;
      this.#foot();
    }
    // What belongs here and where, by filters and other orders, is the server's to say.
    if (!this.#plain() || this.query.order !== "-createdAt") this.#readSoon();
    return undefined;
  }

  #plain() {
    return !this.query.q && !this.query.status && !this.query.risk;
  }

  #readSoon() {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.live?.refresh(), SETTLE_MS);
  }

  #remove(id) {
    if (!this.shown.has(id)) return;
    this.#drop(id);
    this.total = Math.max(0, this.total - 1);
    this.#foot();
  }

  #drop(id) {
    this.shown.get(id)?.row.remove();
    this.shown.delete(id);
  }

  #foot() {
    this.summary.textContent = count("list.count", this.total);
    this.list.hidden = !this.shown.size;
    if (this.shown.size) {
      replace(
        this.foot,
        this.next && h("p", { class: "muted" }, t("list.shown", { shown: this.shown.size, total: this.total })),
        this.next && h("button", { type: "button", onclick: () => this.#more() }, t("list.more")),
      );
    } else if (this.#plain()) {
      const text = this.area.places.length ? "list.emptyText" : "list.emptyRead";
      replace(this.foot, h("div", { class: "empty" }, icon("file"), h("h3", {}, t("list.empty")), h("p", {}, t(text))));
    } else {
      const reset = () => this.#ask({ q: null, status: null, risk: null });
      replace(
        this.foot,
        h("div", { class: "empty" }, icon("search"), h("p", {}, t("list.none")), h("button", { type: "button", onclick: reset }, t("list.reset"))),
      );
    }
  }

  async #more() {
    if (this.loading) return;
    const before = this.list.children.length;
    // Whole pages of the largest size, once that is reached.
    this.wanted = this.wanted < MOST_AT_ONCE ? this.wanted + PAGE_SIZE : this.wanted + MOST_AT_ONCE;
    this.loading = true;
    await this.live.refresh();
    this.loading = false;
    this.list.children[before]?.querySelector("a")?.focus();
  }

  #failed(problem) {
    if (!(problem instanceof Problem)) return;
    const again = h("button", { type: "button", onclick: () => this.#restart() }, t("app.retry"));
    replace(this.foot, h("div", { class: "empty", role: "alert" }, icon("alert"), h("p", {}, words(problem)), again));
  }

  /** Change what is asked for; the address remembers it. */
  #ask(changes) {
    remember(changes);
    Object.assign(this.query, queryOf({ query: new URLSearchParams(location.hash.split("?")[1] ?? "") }));
    if ("q" in changes && changes.q === null) this.#filters();
    this.#restart();
  }

  #filters() {
    const { q, status, risk, order, organization } = this.query;
    const search = h("input", {
      type: "search",
      value: q,
      placeholder: t("list.searchHint"),
      autocomplete: "off",
      oninput: () => {
        clearTimeout(this.typing);
        this.typing = setTimeout(() => this.#ask({ q: search.value.trim() || null, status: this.query.status, risk: this.query.risk }), TYPING_MS);
      },
    });
    const any = ["", t("list.any")];
    const statuses = [any, ["running", t("list.running")], ...["completed", "failed", "cancelled"].map((each) => [each, t(`status.${each}`)])];
    const levels = [any, ...[...LEVELS, "NoneFound"].map((each) => [each, t(`level.${each}`)])];
    const { organizations } = this.context.session;
    replace(
      this.filters,
      h("div", { class: "search" }, icon("search"), field("filter-q", t("list.search"), search)),
      organizations.length > 1 &&
        field("filter-organization", t("app.organization"), select(organization, [["", t("list.any")], ...organizations.map((each) => [each.name, each.name])], (value) => this.#ask({ organization: value }))),
      field("filter-status", t("list.status"), select(status, statuses, (value) => this.#ask({ status: value }))),
      field("filter-risk", t("list.risk"), select(risk, levels, (value) => this.#ask({ risk: value }))),
      field("filter-order", t("list.order"), select(order, ORDERS.map((each) => [each, t(`list.order.${each}`)]), (value) => this.#ask({ order: value }))),
    );
  }
}

function queryOf({ query }) {
  const order = query.get("order");
  return {
    q: query.get("q") ?? "",
    status: query.get("status") ?? "",
    risk: query.get("risk") ?? "",
    organization: query.get("organization") ?? "",
    order: ORDERS.includes(order) ? order : "-createdAt",
  };
}
